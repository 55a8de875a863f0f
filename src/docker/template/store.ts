/**
 * Templates: an initialised database cluster and filestore for one set of images, modules and languages. Every
 * instance is a copy of one. A build works on volumes of its own; an empty volume, made last, says that it is whole.
 */
import { randomBytes } from 'node:crypto';
import { LABEL, scopePrefix } from '../../instance/naming.js';
import type { Progress, TemplateLibrary, TemplateSpec } from '../../instance/ports.js';
import { RetryableError } from '../../lib/errors.js';
import type { Engine } from '../engine/engine.js';
import { removeBusy } from '../engine/retry.js';
import type { Volume } from '../engine/types.js';
import type { Templates as Files } from '../files.js';
import { buildTemplate } from './build.js';
import { type Template, templateId } from './spec.js';

const STALE_BUILD_MS = 2 * 3600 * 1000;

export interface TemplateStore extends TemplateLibrary {
  find(spec: TemplateSpec): Promise<Template | null>;
  ensure(spec: TemplateSpec, progress?: Progress): Promise<Template>;
  /** Forgets a template that turned out to be empty or damaged; the next `ensure` builds it again. */
  discard(template: Template): Promise<void>;
  /** All templates that are ready. */
  list(): Promise<Template[]>;
}

const LABEL_PGDATA = 'saas.template.pgdata';
const LABEL_FILESTORE = 'saas.template.filestore';

export function createTemplateStore(engine: Engine, files: Files, scope: string): TemplateStore {
  const prefix = scopePrefix(scope);
  const building = new Map<string, Promise<Template>>();
  const ours = [`${LABEL.scope}=${scope}`, LABEL.template];
  const markerName = (id: string): string => `${prefix}odoo_template_${id}_ready`;

  async function idOf(spec: TemplateSpec): Promise<string> {
    const images = await Promise.all([
      engine.imageId(spec.release.odooImage),
      engine.imageId(spec.release.postgresImage),
    ]);
    return templateId(images, spec);
  }

  async function findById(id: string): Promise<Template | null> {
    const labels = await engine.volumeLabels(markerName(id));
    return labels ? fromLabels(id, labels) : null;
  }

  async function build(id: string, spec: TemplateSpec, progress: Progress): Promise<Template> {
    const base = `${prefix}odoo_template_${id}_${randomBytes(4).toString('hex')}`;
    const labels = { [LABEL.scope]: scope, [LABEL.template]: id };
    const built = { id, pgdataVolume: `${base}_pgdata`, filestoreVolume: `${base}_filestore` };
    await removeDeadBuilds();
    try {
      await buildTemplate({ engine, files, spec, base, labels, template: built, progress });
      const marker = { ...labels, [LABEL_PGDATA]: built.pgdataVolume, [LABEL_FILESTORE]: built.filestoreVolume };
      await engine.ensureVolume(markerName(id), marker);
      // An existing marker wins: then another process has built the same at the same time.
      const winner = await findById(id);
      if (winner?.pgdataVolume === built.pgdataVolume) return built;
      if (!winner) throw new RetryableError('template.marker', `${markerName(id)} is not ours`, 'Remove that volume.');
      await removeVolumes(built);
      return winner;
    } catch (error) {
      await removeVolumes(built).catch(() => undefined);
      throw error;
    }
  }

  async function removeVolumes(template: Template): Promise<void> {
    const names = [template.pgdataVolume, template.filestoreVolume];
    await Promise.all(names.map((name) => removeBusy(() => engine.removeVolume(name))));
  }

  /** The marker first: a template without its marker is only a dead build. */
  async function discard(template: Template): Promise<void> {
    await engine.removeVolume(markerName(template.id));
    await removeVolumes(template);
  }

  async function list(): Promise<Template[]> {
    return readyIn(await engine.listVolumes(ours));
  }

  /** What a daemon that was killed while it built has left. Other daemons may be building: only what is old goes. */
  async function removeDeadBuilds(): Promise<void> {
    const limit = Date.now() - STALE_BUILD_MS;
    for (const container of await engine.listContainers(ours)) {
      if (container.Created * 1000 < limit) await engine.removeContainer(container.Id);
    }
    for (const network of await engine.listNetworks(ours)) {
      if (network.createdAt.getTime() < limit) await removeBusy(() => engine.removeNetwork(network.id));
    }
    const volumes = await engine.listVolumes(ours);
    const used = readyIn(volumes).flatMap((template) => [template.pgdataVolume, template.filestoreVolume]);
    for (const volume of volumes) {
      const dead = !isMarker(volume) && !used.includes(volume.name) && volume.createdAt.getTime() < limit;
      if (dead) await removeBusy(() => engine.removeVolume(volume.name));
    }
  }

  return {
    find: async (spec) => findById(await idOf(spec)),
    list,
    discard,

    async ensure(spec, progress = () => undefined) {
      const id = await idOf(spec);
      const running = building.get(id);
      if (running) return running;
      const work = (async () => (await findById(id)) ?? (await build(id, spec, progress)))();
      building.set(id, work);
      try {
        return await work;
      } finally {
        building.delete(id);
      }
    },

    async remove(id) {
      const template = building.has(id) ? null : await findById(id);
      if (template) await discard(template);
      await removeDeadBuilds();
    },
  };
}

function isMarker(volume: Volume): boolean {
  return volume.labels[LABEL_PGDATA] !== undefined;
}

function readyIn(volumes: readonly Volume[]): Template[] {
  return volumes.flatMap((volume) => fromLabels(volume.labels[LABEL.template] ?? '', volume.labels) ?? []);
}

function fromLabels(id: string, labels: Record<string, string>): Template | null {
  const pgdataVolume = labels[LABEL_PGDATA];
  const filestoreVolume = labels[LABEL_FILESTORE];
  return pgdataVolume && filestoreVolume ? { id, pgdataVolume, filestoreVolume } : null;
}
