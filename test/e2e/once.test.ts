/** Every mail comes exactly once: the daemon is killed when it is owed, and the master's answer is lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { mails, running } from '../support/customer.js';
import { settled } from '../support/daemon.js';
import { type Door, openDoor } from '../support/proxy.js';
import { openRenewals } from '../support/renewals.js';
import { createCustomer, createPlan, invoiceAndPay, press, sell } from '../support/shop.js';
import { type Subject, subject } from '../support/subject.js';
import { MASTER, until, type World, world } from '../support/world.js';

const PERIOD_DAYS = 10;

describe('mails that are owed', function () {
  this.timeout(300_000);
  let w: World;
  let door: Door;
  const doorPort = MASTER.port + 2;
  const emails = ['una@example.com', 'dosveces@example.com', 'tres@example.com'];
  let served: Subject[];

  before(async () => {
    w = await world();
    door = await openDoor({ host: '127.0.0.1', port: doorPort }, { host: '127.0.0.1', port: MASTER.port });
    const period = { saas_period_count: PERIOD_DAYS, saas_period_unit: 'day' };
    await createPlan(w.admin, 'unavez', { ...period, name: 'Una vez', list_price: 10 });
    served = await Promise.all(
      emails.map(async (email, number) => {
        const partner = await createCustomer(w.admin, { name: `Exacta ${number}`, email });
        const order = await sell(w.admin, partner, 'unavez');
        await invoiceAndPay(w.admin, order.id);
        return subject(w, await running(w, order.id), PERIOD_DAYS);
      }),
    );
  });

  after(async () => {
    await door.end();
  });

  const settingsAt = (days: number) => ({
    SAAS_ODOO_URL: `http://127.0.0.1:${doorPort}`,
    SAAS_CLOCK_OFFSET: `PT${days * 24}H`,
  });
  const wentTo = (email: string) => until(`a mail to ${email}`, async () => (await mails(w, email, /./)).length > 0);
  /** So many mails of a kind for each customer: not one less, and after all is quiet not one more. */
  const each = async (subject: RegExp, times: number) => {
    for (const email of emails) {
      await wentTo(email);
      await until(`mail ${times} to ${email}`, async () => (await mails(w, email, subject)).length >= times);
    }
    await settled(w);
    for (const email of emails) expect(await mails(w, email, subject), email).to.have.length(times);
  };

  /** Odoo's mail queue, as often as it can, until told to stop: it must not take what is being sent already. */
  const queueRuns = () => {
    let stopped = false;
    const running = (async () => {
      const [cron] = (await w.admin.call(
        'ir.model.data',
        'search_read',
        [[['name', '=', 'ir_cron_mail_scheduler_action']]],
        { fields: ['res_id'] },
      )) as { res_id: number }[];
      let runs = 0;
      // Refused while the scheduler itself runs it.
      const run = () => press(w.admin, 'ir.cron', 'method_direct_trigger', [cron?.res_id]).then(() => runs++);
      while (!stopped) await run().catch(() => sleep(50));
      return runs;
    })();
    return () => {
      stopped = true;
      return running;
    };
  };

  it('come once after SIGKILLs all the way through the work', async () => {
    // At the start, and when it has sent so many requests to the master since then.
    for (const requests of [0, 1, 2, 3, 4, 5, 7, 10]) {
      const sent = requests > 0 ? door.nextSent('POST /xmlrpc', requests) : null;
      await w.restart({ signal: 'SIGKILL', settings: settingsAt(4) });
      await sent;
    }
    await w.restart({ signal: 'SIGKILL', settings: settingsAt(4) });
    await each(/vence/, 1);
  });

  it('come once after a SIGKILL while the master writes them', async () => {
    const sent = door.nextSent('<string>reminder</string>');
    await w.restart({ settings: settingsAt(8) });
    await sent;
    await w.restart({ signal: 'SIGKILL', settings: settingsAt(8) });
    await each(/vence/, 2);
    for (const instance of served) expect(await openRenewals(w, instance)).to.have.length(1);
  });

  it('come once when the master has sent them and its answer is lost, and while its mail queue runs all the time', async () => {
    const lost = door.loseReplies('<string>suspended</string>', 3);
    const stopQueue = queueRuns();
    await w.restart({ settings: settingsAt(11.5) });
    await lost;
    for (const instance of served) await instance.inState('suspended');
    await each(/en pausa/, 1);
    expect(await stopQueue()).to.be.at.least(3);
    for (const instance of served) expect(await openRenewals(w, instance)).to.have.length(1);
  });

  it('come once when a daemon that reads everything again takes over', async () => {
    await w.restart({ signal: 'SIGKILL', settings: settingsAt(11.5) });
    await each(/en pausa/, 1);
    await each(/vence/, 2);
    await each(/está listo/, 1);
  });
});
