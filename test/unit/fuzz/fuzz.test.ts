/** The short form of `npm run fuzz`, and the proof that each of its readers sees a careless writer. */
import { expect } from 'chai';
import express from 'express';
import { loadConfig } from '../../../src/config/config.js';
import { loadTemplates, type Templates } from '../../../src/docker/files.js';
import { collect } from '../../../src/docker/instance/observe.js';
import { createEdge } from '../../../src/front/edge.js';
import { isValidName } from '../../../src/instance/naming.js';
import { copiesIn } from '../../../src/keepers/exports.js';
import type { createLog } from '../../../src/lib/logger.js';
import { renderNotice } from '../../../src/odoo/mail.js';
import { readRows } from '../../../src/odoo/rows.js';
import { run } from '../../fuzz/run.js';
import type { Target } from '../../fuzz/target.js';
import { edgeTargets } from '../../fuzz/targets/edge.js';
import { engineTargets } from '../../fuzz/targets/engine.js';
import { carelessTemplates, fileTargets } from '../../fuzz/targets/files.js';
import { httpTargets } from '../../fuzz/targets/http.js';
import { mailTargets } from '../../fuzz/targets/mail.js';
import { masterTargets } from '../../fuzz/targets/master.js';
import { nameTargets } from '../../fuzz/targets/names.js';
import { settingsTargets } from '../../fuzz/targets/settings.js';
import { textTargets } from '../../fuzz/targets/text.js';
import { allTargets } from '../../fuzz/targets.js';

const CASES = 1_500;
const SEED = 20_261_128;

describe('fuzz', function () {
  this.timeout(120_000);
  let files: Templates;
  before(async () => {
    files = await loadTemplates();
  });

  it('finds nothing that crashes or gets out of its place', async () => {
    const { cases, findings } = await run(await allTargets(), { cases: CASES, seed: SEED });
    expect(findings).deep.equal([]);
    expect(cases).at.least(CASES);
  });

  const careless: [name: string, targets: () => Promise<Target[]> | Target[]][] = [
    ['compose file and containers', async () => fileTargets(await carelessTemplates(files))],
    ['odoo.conf', async () => fileTargets(await carelessTemplates(files))],
    ['statements', async () => fileTargets(await carelessTemplates(files))],
    ['name of an instance', () => nameTargets((company) => company.toLowerCase())],
    ['folder and final copy', () => nameTargets(undefined, copiesByName)],
    ['two customers', () => nameTargets(undefined, copiesByName)],
    ['labels read back', () => engineTargets(files, byNameAlone)],
    ['rows of the master', () => masterTargets(asTheyCome)],
    ['mails', () => mailTargets(withoutEscapes)],
    ['page of what is down: requests', () => httpTargets(() => express())],
    ['page of what is down: instances', () => httpTargets(barePage)],
    ['routes of the edge', () => edgeTargets(anyHost)],
    ['log', () => textTargets(rawLog)],
    ['plain output', () => textTargets(undefined, undefined, (stream) => stream)],
    ['messages of errors', () => textTargets(undefined, (error) => String(error))],
    ['settings', () => settingsTargets(unchecked)],
  ];
  for (const [name, targets] of careless) {
    it(`sees a careless writer: ${name}`, async () => {
      const only = (await targets()).filter((target) => target.name === name);
      const { findings } = await run(only, { cases: name === 'mails' ? 100 : 1_000, seed: SEED });
      expect(findings.map(({ target, kind }) => `${kind} in ${target}`)).to.satisfy(
        (found: string[]) => found.length === 1,
      );
    });
  }
});

/** A copy is named by the instance's name alone. */
function copiesByName(settings: Parameters<typeof copiesIn>[0]): ReturnType<typeof copiesIn> {
  return { ...copiesIn(settings), fileOf: ({ name }, format) => `${settings.dir}/${name}.${format}` };
}

/** Containers are told by their role alone, whoever's they are. */
const byNameAlone: typeof collect = (containers, networks, volumes) => {
  const found = collect(containers, networks, volumes);
  const odoo = [...found.values()].find((instance) => instance.odoo)?.odoo ?? null;
  for (const instance of found.values()) instance.odoo ??= odoo;
  return found;
};

const asTheyCome: typeof readRows = (reply) => {
  const rows = readRows(reply);
  const bare = reply.plans.filter((plan) => typeof plan === 'object' && plan !== null && 'name' in plan) as {
    name: string;
  }[];
  rows.plans.forEach((plan, at) => {
    plan.name = bare[at]?.name ?? plan.name;
  });
  return rows;
};

const withoutEscapes: typeof renderNotice = (notice, lang, values) => {
  const mail = renderNotice(notice, lang, values);
  const unescaped = mail.html.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"');
  return { ...mail, html: unescaped };
};

const barePage: Parameters<typeof httpTargets>[0] = (pausedAt) => (_request, response) => {
  const body = `<!doctype html><h1>${pausedAt(1)?.name}</h1>`;
  response.writeHead(503, { 'Content-Type': 'text/html', 'Content-Length': Buffer.byteLength(body) }).end(body);
};

/** What is no name of a host is made one that is not the right one. */
const anyHost: typeof createEdge = (parts) =>
  createEdge({
    ...parts,
    routesOf: (key) =>
      parts.routesOf(key).map((route) => ({ ...route, host: route.host.toLowerCase().replace(/[^a-z0-9.-]/g, '') })),
  });

const rawLog: typeof createLog = ({ stream }) => {
  const write = (event: string, message: string) => void stream?.write(`{"event":"${event}","message":"${message}"}\n`);
  return { debug: write, info: write, warn: write, error: write, close: async () => undefined };
};

/** Takes any name of an image, and a scope that is none. */
const unchecked: typeof loadConfig = (env) => {
  const { SAAS_ODOO_IMAGE: image, ...others } = env;
  const config = loadConfig(others);
  return image && !isValidName(image) ? { ...config, instances: { ...config.instances, odooImage: image } } : config;
};
