/** `saas-bridge status` and `saas-bridge instance`: what the daemon knows and what the engine has. */

import type { Config } from '../config/config.js';
import { addressesBy, publicAddress } from '../facts/address.js';
import { dueOf } from '../facts/due.js';
import { systemClock } from '../lib/clock.js';
import { TerminalError } from '../lib/errors.js';
import { printable } from '../lib/printable.js';
import { openStore } from '../store/store.js';
import { lastPaidOn, periodsOf } from '../subscription/parts.js';
import { openFleet, releaseIn } from '../wiring.js';
import { factsOf, stepsOf } from './facts.js';
import { moment, type Out, table } from './output.js';

/** Of the writes that the master refused, so many are shown. */
const NEWEST_REFUSED = 10;

/** All instances in a table, or one JSON object. Reads beside a running daemon. */
export async function showStatus(config: Config, out: Out, asJson: boolean): Promise<void> {
  const store = openStore(config.storePath, { access: 'readonly' });
  try {
    const now = systemClock(config.clockOffset)();
    const addressOf = addressesBy(config.instances.urlTemplate);
    const { runtime } = await openFleet(config);
    const rows = store.instances.all().map((instance) => {
      const { facts, problem } = factsOf(store, config, instance.key, now);
      return {
        name: instance.name,
        state: instance.phase,
        subscription: facts?.status.state ?? 'draft',
        plan: (facts?.plan ?? store.plans.get(instance.planId))?.code ?? String(instance.planId),
        paidUntil: facts?.status.paidUntil ?? null,
        customer: instance.customer.name,
        order: instance.document,
        url: publicAddress(addressOf, instance),
        port: instance.placement?.httpPort ?? null,
        due: facts && (dueOf(facts, releaseIn(config), runtime.revision)?.reason ?? null),
        error: instance.errorMessage ?? problem,
      };
    });
    const { count, oldestAgeMs, deadLetters } = store.outbox.backlog(now);
    const refused = store.outbox.deadLetters().slice(0, NEWEST_REFUSED);
    if (asJson) {
      out.write(
        `${JSON.stringify({ instances: rows, outbox: { pending: count, oldestAgeMs, deadLetters, refused } })}\n`,
      );
      return;
    }
    const { timeZone } = config.policy;
    const header = ['NAME', 'STATE', 'SUBSCRIPTION', 'PLAN', `PAID UNTIL (${timeZone})`, 'ORDER', 'PORT', 'URL'];
    const cells = rows.map((row) => [
      ...[row.name, row.state, row.subscription, row.plan, moment(row.paidUntil, timeZone)],
      ...[row.order, String(row.port ?? '-'), row.url ?? '-'],
    ]);
    out.write(`${rows.length === 0 ? 'No instances yet.' : table([header, ...cells])}\n`);
    for (const row of rows) if (row.due) out.write(`${row.name}: an upgrade is due. ${printable(row.due)}\n`);
    for (const row of rows) if (row.error) out.write(`${row.name}: ${printable(row.error)}\n`);
    if (count + deadLetters > 0)
      out.write(`${count} writes wait for the master, ${deadLetters} were refused: saas-bridge dead-letters\n`);
    for (const { operation, message } of refused) out.write(`  refused ${printable(`${operation.key}: ${message}`)}\n`);
  } finally {
    store.close();
  }
}

/** One instance: facts, purchases, what must be, what the engine has, what is to do. */
export async function showInstance(config: Config, name: string, out: Out, asJson: boolean): Promise<void> {
  const store = openStore(config.storePath, { access: 'readonly' });
  try {
    const instance = store.instances.byName(name);
    if (!instance) {
      throw new TerminalError('instance.unknown', `there is no instance "${name}"`, 'saas-bridge status lists them.');
    }
    const { facts, problem } = factsOf(store, config, instance.key, systemClock(config.clockOffset)());
    const { runtime } = await openFleet(config);
    const observed = await runtime.observe(instance);
    const steps = facts ? stepsOf(config, facts, observed) : [];
    const due = facts && dueOf(facts, releaseIn(config), runtime.revision);
    const { release } = instance;
    if (asJson) {
      out.write(
        `${JSON.stringify({ instance, status: facts?.status, desired: facts?.desired, observed, steps, due })}\n`,
      );
      return;
    }
    const { timeZone } = config.policy;
    const running = (container: { running: boolean; name: string } | null) =>
      container ? `${container.name}, ${container.running ? 'running' : 'stopped'}` : 'none';
    const lines = [
      ['name', instance.name],
      ['state', instance.phase],
      ['must be', facts ? `${facts.desired.state}: ${facts.desired.reason}` : '-'],
      ['customer', `${instance.customer.name} <${instance.customer.email || 'no e-mail'}>`],
      ['address', publicAddress(addressesBy(config.instances.urlTemplate), instance) ?? '-'],
      ['plan', facts?.plan.name ?? '-'],
      ['runs', release ? `${release.odooImage}, ${release.postgresImage}` : '-'],
      ['upgrade', due?.reason ?? 'none is due'],
      ['started', moment(instance.startedAt, timeZone)],
      ['paid until', moment(facts?.status.paidUntil ?? null, timeZone)],
      ['Odoo', running(observed.odoo)],
      ['PostgreSQL', running(observed.db)],
      ['to do', steps.join(', ') || 'nothing'],
      ['error', instance.errorMessage ?? problem ?? '-'],
      ...(facts?.purchases ?? []).map((purchase) => [
        purchase.key,
        `${purchase.document}: ${periodsOf(purchase)} × ${purchase.periodCount} ${purchase.periodUnit}, ${purchase.state}, paid ${moment(lastPaidOn(purchase), timeZone)}`,
      ]),
    ];
    out.write(`${table(lines)}\n`);
  } finally {
    store.close();
  }
}
