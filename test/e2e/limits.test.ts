/** What a plan includes is measured, shown and kept to: users by the customer's own Odoo, storage by the daemon. */
import { expect } from 'chai';
import type { Record as SaasRecord } from '../../compose/demo/records.js';
import { resourceNames } from '../../src/instance/naming.js';
import type { OdooClient } from '../../src/odoo/client.js';
import { addUser, leaveMark, mails, ownOdoo, running } from '../support/customer.js';
import { containersOf, runIn } from '../support/engine.js';
import { createCustomer, createPlan, invoiceAndPay, sell } from '../support/shop.js';
import { refusalOf, todosOn, useOf } from '../support/staff.js';
import { type Subject, subject } from '../support/subject.js';
import { travel } from '../support/time.js';
import { DAEMON, until, type World, world } from '../support/world.js';

const OFTEN = { SAAS_USAGE_INTERVAL: '10' };
const ENGLISH = { context: { lang: 'en_US' } };

describe('the limits of a plan', function () {
  this.timeout(300_000);
  let w: World;
  let own: OdooClient;
  const email = 'limites@example.com';
  let partner: number;
  let record: SaasRecord;
  let customer: Subject;
  let mark: Awaited<ReturnType<typeof leaveMark>>;

  before(async () => {
    w = await world();
    await w.restart({ settings: OFTEN });
    const month = { saas_period_count: 30, saas_period_unit: 'day' };
    const small = { name: 'Justo', list_price: 30, saas_max_users: 2, saas_storage_gb: 1 };
    await createPlan(w.admin, 'justo', { ...month, ...small });
    const large = { name: 'Holgado', list_price: 60, saas_max_users: 5, saas_storage_gb: 5 };
    await createPlan(w.admin, 'holgado', { ...month, ...large });
    partner = await createCustomer(w.admin, { name: 'Límites S.L.', email });
    const order = await sell(w.admin, partner, 'justo');
    await invoiceAndPay(w.admin, order.id);
    record = await running(w, order.id);
    customer = subject(w, record, 30);
    own = await ownOdoo(w, record, email);
    mark = await leaveMark(own, 'Dentro de los límites');
  });

  after(async () => {
    await own.close();
  });

  const use = () => useOf(w.admin, record);
  const filestore = () => resourceNames(DAEMON.scope, record.name).filestore;

  it('users, storage and modules are on the record, and measured again on a schedule', async () => {
    const first = await until('the first measure', async () => {
      const row = await use();
      return row.measured_on ? row : null;
    });
    expect(first.users_used).to.equal(1);
    expect(first.storage_used_mb).to.be.within(5, 500);
    expect(String(first.modules_installed).split(',')).to.include.members(['base', 'web']);
    expect(first.over_limit).to.equal(false);
    await addUser(own, 'segundo');
    const next = await until('the next measure', async () => {
      const row = await use();
      return row.users_used === 2 && row;
    });
    expect(String(next.measured_on) > String(first.measured_on)).to.equal(true);
  });

  it('one user more is refused, in the language of whoever tries, and nothing is left of it', async () => {
    const count = () => own.call('res.users', 'search_count', [[['login', '=', 'tercero']]]);
    const spanish = await refusalOf(addUser(own, 'tercero'));
    expect(spanish).to.include('Su plan incluye 2 usuarios y ya están todos en uso.');
    expect(spanish).to.match(/Archive un usuario o cambie de plan/);
    const english = await refusalOf(addUser(own, 'tercero', {}, ENGLISH));
    expect(english).to.include('Your plan includes 2 users and all of them are in use.');
    expect(await count()).to.equal(0);
  });

  it('archiving one frees a place; the archived one cannot be activated while all places are taken', async () => {
    const [second] = (await own.call('res.users', 'search', [[['login', '=', 'segundo']]])) as number[];
    await own.call('res.users', 'write', [[second], { active: false }]);
    const third = await addUser(own, 'tercero');
    const activation = own.call('res.users', 'write', [[second], { active: true }]);
    expect(await refusalOf(activation)).to.include('Su plan incluye 2 usuarios');
    await own.call('res.users', 'write', [[third], { active: false }]);
    await own.call('res.users', 'write', [[second], { active: true }]);
  });

  it('guests of the portal are no users of the plan, and cannot be made users while all places are taken', async () => {
    const group = async (name: string) => {
      const [row] = (await own.call(
        'ir.model.data',
        'search_read',
        [
          [
            ['module', '=', 'base'],
            ['name', '=', name],
          ],
        ],
        {
          fields: ['res_id'],
        },
      )) as { res_id: number }[];
      return row?.res_id ?? 0;
    };
    const guest = await addUser(own, 'invitada', { group_ids: [[6, 0, [await group('group_portal')]]] });
    const promotion = own.call('res.users', 'write', [[guest], { group_ids: [[6, 0, [await group('group_user')]]] }]);
    expect(await refusalOf(promotion)).to.include('Su plan incluye 2 usuarios');
  });

  it('too much storage is on the record, with a mail to the customer and a to-do for a manager, and it runs on', async () => {
    await runIn(filestore(), 'fallocate -l 1200M /volume/demasiado');
    const row = await until('the record to show it', async () => {
      const now = await use();
      return now.over_limit && now.storage_over_since ? now : null;
    });
    expect(row.storage_used_mb).to.be.within(1200, 1700);
    const mail = await until('the mail', async () => (await mails(w, email, /necesita más espacio/))[0]);
    expect(mail.text).to.match(/Espacio que ocupa\s+1,[2-6] GB\s+Espacio que incluye su plan\s+1 GB/);
    const todos = await until('the to-do', async () => {
      const found = await todosOn(w.admin, 'saas.instance', record.id);
      return found.length > 0 && found;
    });
    expect(todos).to.have.length(1);
    expect((await customer.now()).state).to.equal('running');
    expect(await refusalOf(addUser(own, 'cuarto')), 'the other limits go on').to.include('2 usuarios');
  });

  it('is suspended when the days to make room are over, and its customer knows why', async () => {
    await travel(w, 6, undefined, OFTEN);
    await until(
      'a measure then',
      async () => Date.parse(`${(await use()).measured_on}Z`) > Date.now() + 5.9 * 86_400_000,
    );
    expect((await customer.now()).state, 'within the days of grace').to.equal('running');
    await travel(w, 9, undefined, OFTEN);
    const now = await customer.inState('suspended');
    expect(now.subscription_state).to.equal('active');
    for (const { State } of await containersOf(record)) expect(State).to.equal('exited');
    const mail = await until('the mail', async () => (await mails(w, email, /en pausa/))[0]);
    expect(mail.text).to.include('ocupa más espacio del que incluye su plan');
    expect(await mails(w, email, /necesita más espacio/)).to.have.length(1);
    expect(await todosOn(w.admin, 'saas.instance', record.id)).to.have.length(1);
  });

  it('comes back by a larger plan, with its data and with places for more users', async () => {
    await travel(
      w,
      9,
      async () => {
        const { id } = await sell(w.admin, partner, 'holgado', { saas_instance_id: record.id });
        await invoiceAndPay(w.admin, id);
        return [id];
      },
      OFTEN,
    );
    await customer.inState('running');
    const row = await until('the record to be within its limits', async () => {
      const now = await use();
      return !now.over_limit && !now.storage_over_since && now;
    });
    expect(row.plan_id[1]).to.include('Holgado');
    expect(await mark(own)).to.equal('Dentro de los límites');
    await addUser(own, 'tercero de verdad');
    await until('the mail', async () => (await mails(w, email, /vuelve a estar activo/))[0]);
  });
});
