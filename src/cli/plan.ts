/** `saas-bridge plan`: what would be done, now or until a date, without doing it. */

import type { Config } from '../config/config.js';
import { dueOf } from '../facts/due.js';
import { graceDaysIn, situationOf } from '../facts/facts.js';
import { PHASE } from '../instance/phase.js';
import { systemClock } from '../lib/clock.js';
import { noticeOperation } from '../owed/operations.js';
import { openStore } from '../store/store.js';
import { entitlementsOf } from '../subscription/parts.js';
import { type Happening, rehearse } from '../subscription/rehearsal.js';
import { openFleet, releaseIn } from '../wiring.js';
import { factsOf, stepsOf } from './facts.js';
import { moment, type Out, table } from './output.js';

/** Facts from the store as the last poll left them; the engine as it is now. */
export async function showPlan(config: Config, at: Date | null, out: Out, asJson: boolean): Promise<void> {
  const store = openStore(config.storePath, { access: 'readonly' });
  try {
    const now = systemClock(config.clockOffset)();
    const { policy } = config;
    const { runtime } = await openFleet(config);
    const observed = await runtime.observeAll();
    const problems: { name: string; problem: string }[] = [];
    const plans = store.instances.all().flatMap((instance) => {
      const { key, name, phase } = instance;
      const { facts, problem } = factsOf(store, config, key, now);
      if (problem) problems.push({ name, problem });
      if (!facts) return [];
      const { plan, desired, storageOverSince } = facts;
      const story = {
        entitlements: entitlementsOf(facts.purchases),
        startedAt: instance.startedAt,
        situation: situationOf(instance, plan, storageOverSince),
        graceDaysOfPlan: graceDaysIn(store),
        state: PHASE[phase].settled,
        wasSent: (notice: Happening['what'], period: string) =>
          isMail(notice) && store.events.has(noticeOperation(instance, notice, period, NO_DETAILS).key),
      };
      const coming = at === null ? [] : rehearse(story, policy, now, at);
      const due = dueOf(facts, releaseIn(config), runtime.revision);
      return [{ name, desired, steps: stepsOf(config, facts, observed.get(key)), due, coming }];
    });
    if (asJson) {
      const until = at?.toISOString() ?? null;
      out.write(`${JSON.stringify({ at: now.toISOString(), until, plans, problems })}\n`);
      return;
    }
    const changing = plans.filter(({ steps }) => steps.length > 0);
    out.write(`At ${moment(now, policy.timeZone)} (${policy.timeZone}): `);
    out.write(changing.length === 0 ? 'nothing to do.\n' : `${changing.length} of ${plans.length} instances change.\n`);
    for (const { name, desired, steps } of changing) {
      out.write(`${name} → ${desired.state}: ${desired.reason}\n  ${steps.join(', ')}\n`);
    }
    for (const { name, due } of plans) if (due) out.write(`${name}: an upgrade is due. ${due.reason}\n`);
    if (at) {
      const rows = plans
        .flatMap(({ name, coming }) => coming.map((happening) => ({ name, ...happening })))
        .sort((a, b) => a.at.getTime() - b.at.getTime());
      out.write(`\nUntil ${moment(at, policy.timeZone)}, if nobody pays or decides anything: `);
      out.write(rows.length === 0 ? 'nothing happens.\n' : `${summary(rows)}.\n`);
      const lines = rows.map((row) => [moment(row.at, policy.timeZone), row.name, WORDS[row.what], row.reason]);
      if (lines.length > 0) out.write(`${table(lines)}\n`);
    }
    for (const { name, problem } of problems) out.write(`${name}: nothing can be planned: ${problem}\n`);
  } finally {
    store.close();
  }
}

const NO_DETAILS = { planName: '', trial: false, paidUntil: null, deleteOn: null };

const WORDS: Record<Happening['what'], string> = {
  running: 'runs',
  suspended: 'suspended',
  stopped: 'stopped',
  deleted: 'deleted',
  reminder: 'reminder',
  deletion_warning: 'deletion warning',
};

function isMail(what: Happening['what']): what is 'reminder' | 'deletion_warning' {
  return what === 'reminder' || what === 'deletion_warning';
}

function summary(rows: Happening[]): string {
  const counts = new Map<string, number>();
  for (const { what } of rows) counts.set(WORDS[what], (counts.get(WORDS[what]) ?? 0) + 1);
  return [...counts].map(([what, count]) => `${count} × ${what}`).join(', ');
}
