/** What staff of the master see and do, in a real browser: sales, invoices, and the buttons of an instance. */
import { expect } from 'chai';
import { instances, type Record as SaasRecord } from '../../compose/demo/records.js';
import { LOOKS, Onlooker } from '../support/browser.js';
import { running } from '../support/customer.js';
import { confirm, enterOffice, fillIn, openAction, openForm, pressHeader, showsState } from '../support/office.js';
import { createCustomer, plainInvoice, planVariant } from '../support/shop.js';
import { until, type World, world } from '../support/world.js';

const QUIET = 'meets no error on the console, and nothing that keeps anybody from reading the pages';

describe('in a browser, staff', function () {
  this.timeout(600_000);
  let w: World;

  before(async () => {
    w = await world();
  });

  for (const look of LOOKS) {
    describe(`who sell (${look.name})`, () => {
      let one: Onlooker;
      let customer: number;
      const runs = (): string => one.say('En marcha', 'Running');

      before(async () => {
        customer = await createCustomer(w.admin, {
          name: `Talleres Ruiz ${look.name}`,
          email: `taller-${look.name}@example.com`,
          lang: look.lang,
        });
        one = await Onlooker.open(w.master.master_url, look);
        await enterOffice(w, one, 'sales');
      });

      after(async () => {
        await one.close();
      });

      it('confirm a quotation, and see within seconds that the customer is served', async () => {
        const order = (await w.admin.call('sale.order', 'create', [
          { partner_id: customer, order_line: [[0, 0, { product_id: await planVariant(w.admin, 'basico') }]] },
        ])) as number;
        await openForm(one, 'sale.order', order);
        await one.see('office-1-quotation');
        await pressHeader(one, 'action_confirm');
        await one.page.locator('[name=saas_status_html]:visible').first().waitFor();
        await one.see('office-2-order-confirmed');
        await one.page.locator('.alert-success [name=saas_status_html]', { hasText: runs() }).waitFor();
        await one.see('office-3-order-served');
      });

      it('invoice a plan without an order, take the payment, and see the same', async () => {
        const move = await plainInvoice(w.admin, customer, 'basico', { saas_additional: true });
        await openForm(one, 'account.move', move);
        await pressHeader(one, 'action_post');
        await one.page.locator('.alert-info [name=saas_status_html]').waitFor();
        await one.see('office-4-invoice-unpaid');
        await pressHeader(one, 'action_register_payment');
        await one.page.locator('.modal button[name=action_create_payments]').click();
        await one.page.locator('.alert-success [name=saas_status_html]', { hasText: runs() }).waitFor();
        await one.see('office-5-invoice-served');
      });

      it('find the instance of the invoice, and all there is to see of it', async () => {
        const opened = one.context.waitForEvent('page');
        await one.page.locator('.alert-success [name=saas_status_html] a').first().click();
        const instance = await opened;
        await showsState(instance, 'running');
        await one.see('office-6-instance-as-sales', instance);
        await instance.close();
      });

      it(QUIET, () => one.assertQuiet());
    });
  }

  for (const look of LOOKS) {
    describe(`who manage (${look.name})`, () => {
      let one: Onlooker;
      let record: SaasRecord;
      const now = async (): Promise<SaasRecord> =>
        (await instances(w.admin, [['id', '=', record.id]]))[0] ?? expect.fail('the record is gone');

      before(async () => {
        const customer = await createCustomer(w.admin, {
          name: `Bodegas Alba ${look.name}`,
          email: `alba-${look.name}@example.com`,
        });
        const order = (await w.admin.call('sale.order', 'create', [
          { partner_id: customer, order_line: [[0, 0, { product_id: await planVariant(w.admin, 'pro') }]] },
        ])) as number;
        await w.admin.call('sale.order', 'action_confirm', [[order]]);
        record = await running(w, order);
        one = await Onlooker.open(w.master.master_url, look);
        await enterOffice(w, one, 'manager');
      });

      after(async () => {
        await one.close();
      });

      it('see all instances by their state', async () => {
        await openAction(one, 'saas_instance_action');
        await one.page.locator('.o_kanban_record', { hasText: record.name }).first().waitFor();
        await one.see('office-10-instances');
      });

      it('stop it, and the form says so by itself', async () => {
        await openForm(one, 'saas.instance', record.id);
        await showsState(one.page, 'running');
        await one.see('office-11-instance');
        await pressHeader(one, 'action_stop');
        await one.see('office-12-stop');
        await confirm(one);
        await showsState(one.page, 'stopped');
        await one.see('office-13-stopped');
        expect((await now()).hold).to.equal('stopped');
      });

      it('start it again', async () => {
        await pressHeader(one, 'action_start');
        await showsState(one.page, 'running');
        expect((await now()).state).to.equal('running');
      });

      it('give it more days', async () => {
        const { paid_until } = await now();
        await pressHeader(one, 'action_extend');
        await fillIn(one, 'days', '7');
        await fillIn(one, 'reason', one.say('Por la avería del lunes', 'For the outage on Monday'));
        await one.see('office-14-extend');
        await one.page.locator('.modal button[name=action_confirm]:visible').click();
        await until(
          'the seven days',
          async () => Date.parse((await now()).paid_until) - Date.parse(paid_until) === 7 * 86_400_000,
        );
      });

      it('delete it, only by typing its name', async () => {
        await pressHeader(one, 'action_delete');
        await fillIn(one, 'confirm_name', record.name);
        await one.see('office-15-delete');
        await one.page.locator('.modal button[name=action_confirm]:visible').click();
        await showsState(one.page, 'deleted');
        await one.see('office-16-deleted');
        expect((await now()).state).to.equal('deleted');
      });

      it(QUIET, () => one.assertQuiet());
    });
  }
});
