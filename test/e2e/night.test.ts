/** The night: what is due at 00:00 is done then, and told once, in a line of the log and a message to the managers. */
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { DateTime } from 'luxon';
import { mails, running } from '../support/customer.js';
import { settled } from '../support/daemon.js';
import { containersOf } from '../support/engine.js';
import { createCustomer, createPlan, invoiceAndPay, sell } from '../support/shop.js';
import { type Subject, subject } from '../support/subject.js';
import { sql } from '../support/time.js';
import { DAEMON, until, type World, world } from '../support/world.js';

const PERIOD_DAYS = 10;
const ZONE = 'Europe/Madrid';
const MANAGER = 'gestor@nubefacil.example';

describe('the night', function () {
  this.timeout(300_000);
  let w: World;
  let served: Subject[];
  let told = 0;

  before(async () => {
    w = await world();
    const period = { saas_period_count: PERIOD_DAYS, saas_period_unit: 'day' };
    await createPlan(w.admin, 'noche', { ...period, name: 'Noche', list_price: 10 });
    // Other tests have traveled to these nights: both sides forget that they were told of.
    await w.restart({
      async meanwhile() {
        await sql("DELETE FROM saas_bridge_effect WHERE op = 'summary'");
        for (const file of readdirSync(DAEMON.dataDir)) {
          if (file.startsWith('bridge.sqlite')) rmSync(path.join(DAEMON.dataDir, file));
        }
      },
    });
    served = await Promise.all(
      ['Luna', 'Lucero'].map(async (name) => {
        const partner = await createCustomer(w.admin, { name, email: `${name.toLowerCase()}@example.com` });
        const order = await sell(w.admin, partner, 'noche');
        await invoiceAndPay(w.admin, order.id);
        return subject(w, await running(w, order.id), PERIOD_DAYS);
      }),
    );
    await settled(w);
    told = (await messages()).length;
  });

  const messages = () => mails(w, MANAGER, /SaaS/);
  const summaries = () =>
    w
      .daemon()
      .lines()
      .filter(({ event }) => event === 'nightly.summary');
  /** Starts the daemon so that its clock says `time` on the day `days` after today, in the zone of the nights. */
  const wakeAt = async (days: number, hour: number, minute = 0, second = 0) => {
    const today = DateTime.now().setZone(ZONE);
    const wanted = today.plus({ days }).set({ hour, minute, second, millisecond: 0 });
    await w.restart({
      settings: { SAAS_CLOCK_OFFSET: `PT${Math.round((wanted.toMillis() - Date.now()) / 1000)}S` },
    });
    return wanted;
  };
  /** The one message of a night, in Spanish, with the numbers of the line in the log. */
  const isTold = async (morning: DateTime) => {
    const line = await until('the line in the log', () => summaries()[0]);
    const mail = await until('the message', async () => (await messages())[told]);
    told++;
    const date = morning.setLocale('es').toLocaleString(DateTime.DATE_FULL);
    expect(mail.text).to.include(`Noche del ${date}`);
    for (const [what, words] of [
      ['suspended', 'suspendidas'],
      ['reminded', 'recordatorios'],
      ['deleted', 'eliminadas'],
      ['failed', 'con error'],
    ] as const) {
      expect(mail.text).to.include(`${words} ${line[what]}`);
    }
    await settled(w);
    expect(summaries()).to.have.length(1);
    expect(await messages()).to.have.length(told);
    return line;
  };

  it('that was slept through is made up in the morning: reminders, one line, one message in Spanish', async () => {
    const morning = await wakeAt(4, 9);
    const line = await isTold(morning);
    for (const { name } of served) {
      expect(await mails(w, `${name}@example.com`, /vence/), name).to.have.length(1);
    }
    expect(line.reminded).to.be.at.least(2);
  });

  it('is not told of a second time after a restart', async () => {
    await wakeAt(4, 10);
    await settled(w);
    expect(summaries()).to.deep.equal([]);
    expect(await messages()).to.have.length(told);
  });

  it('of several that were slept through only the last is told of, with all that was made up', async () => {
    const line = await isTold(await wakeAt(8, 9));
    expect(line.reminded).to.be.at.least(2);
  });

  it('suspends at 00:00 in the time zone of the shop, and not a moment before', async () => {
    const { paid_until } = await (served[0] as Subject).now();
    const end = DateTime.fromISO(`${paid_until.replace(' ', 'T')}Z`, { zone: ZONE });
    const days = Math.round(end.startOf('day').diff(DateTime.now().setZone(ZONE).startOf('day'), 'days').days);
    // In good time, however slow the machine is.
    await wakeAt(days, 23, 45);
    await until('the line of the nights before', () => summaries()[0]);
    await settled(w);
    told = (await messages()).length;
    for (const { now } of served) expect((await now()).state, 'before midnight').to.equal('running');
    const evening = await wakeAt(days, 23, 59, 40);
    for (const instance of served) {
      const { suspended_on } = await instance.inState('suspended');
      const at = DateTime.fromISO(`${String(suspended_on).replace(' ', 'T')}Z`, { zone: ZONE });
      expect(at.toISODate()).to.equal(evening.plus({ days: 1 }).toISODate());
      expect(at.diff(at.startOf('day'), 'seconds').seconds).to.be.lessThan(60);
      for (const container of await containersOf(instance)) expect(container.State).to.equal('exited');
    }
    const line = await until('the line of this night', () => summaries()[0]);
    expect(line.suspended).to.be.at.least(2);
    const mail = await until('its message', async () => (await messages())[told]);
    told++;
    expect(mail.text).to.include(`suspendidas ${line.suspended}`);
    expect(mail.text).to.include(
      `Noche del ${evening.plus({ days: 1 }).setLocale('es').toLocaleString(DateTime.DATE_FULL)}`,
    );
  });

  it('is told of once, also by a daemon that was killed right after it', async () => {
    await w.restart({
      signal: 'SIGKILL',
      settings: { SAAS_CLOCK_OFFSET: `PT${11 * 24}H` },
    });
    await settled(w);
    expect(await messages()).to.have.length(told);
    expect(new Set((await messages()).map(({ text }) => text)).size).to.equal(told);
  });
});
