/**
 * Every page and mail that the journeys do not come by, in each state it can show. Each is looked at in both languages and
 * on both screens; with all four combinations only for `npm run screens`.
 */
import { newVisitor } from '../../compose/demo/cast.js';
import { Shopper } from '../../compose/demo/shopper.js';
import { renderNotice } from '../../src/odoo/mail.js';
import { NOTICES } from '../../src/protocol/push.js';
import { LOOKS, Onlooker } from '../support/browser.js';
import { noticeValues } from '../support/notices.js';
import { enterOffice, openAction, openForm, pressHeader } from '../support/office.js';
import { planTemplate } from '../support/shop.js';
import { addToCart, logIn, PLAN_NAMES } from '../support/shopping.js';
import { type Case, showcase } from '../support/showcase.js';
import { sql } from '../support/time.js';
import { type World, world } from '../support/world.js';

const QUIET = 'has no error on the console, and nothing that keeps anybody from reading';

describe('in a browser, every other page', function () {
  this.timeout(600_000);
  let w: World;
  let shown: Record<Case, number>;
  let customer: number;
  const visitor = newVisitor('Ana Delta');
  const newcomer = newVisitor('Nuevo Cliente');

  before(async () => {
    w = await world();
    await w.daemon().stop();
    for (const one of [visitor, newcomer]) await new Shopper(w.master.master_url).register(one);
    [customer = 0] = (await w.admin.call('res.partner', 'search', [[['email', '=', visitor.email]]])) as number[];
    shown = await showcase(w, customer);
  });

  for (const look of LOOKS) {
    describe(look.name, () => {
      let one: Onlooker;

      beforeEach(async () => {
        one = await Onlooker.open(w.master.master_url, look);
      });

      afterEach(async () => {
        await one.close();
      });

      it(`of the shop ${QUIET}`, async () => {
        // The cart of the look before.
        await sql("UPDATE sale_order SET state = 'cancel' WHERE state = 'draft'");
        await one.goto('/shop');
        await one.see('gallery-shop');
        await one.goto('/contactus');
        await one.see('gallery-contact');
        await one.goto('/web/login?redirect=/my');
        await one.see('gallery-login');
        await logIn(one.page, visitor.email, visitor.password);
        await one.goto('/shop');
        await one.page
          .locator(`a[title="${one.say('Prueba', 'Trial')}"]`)
          .first()
          .click();
        await one.page.locator('#add_to_cart').waitFor();
        await one.see('gallery-trial');
        await one.goto('/shop');
        await one.page.locator(`a[title="${PLAN_NAMES.basico[look.language]}"]`).first().click();
        await one.page.locator('#add_to_cart').waitFor();
        await addToCart(one);
        await one.see('gallery-cart-renew-or-more');
        await one.page.selectOption('.o_saas_wish select[name=target]', 'new');
        await one.see('gallery-cart-one-more');
        one.assertQuiet();
      });

      it(`of the customer ${QUIET}`, async () => {
        await one.goto('/web/login?redirect=/my/instances');
        await logIn(one.page, visitor.email, visitor.password);
        await one.see('gallery-portal-list');
        for (const [name, id] of Object.entries(shown)) {
          await one.goto(`/my/instances/${id}`);
          await one.see(`gallery-portal-${name}`);
        }
        await one.goto(`/my/instances/${shown['over-limits']}/plans`);
        await one.see('gallery-portal-plans');
        await one.goto(`/my/instances/${shown.running}/backups`);
        await one.see('gallery-portal-backups');
        await one.page.locator('a[href*="?moment="]').last().click();
        await one.page.locator('#saas_restore').waitFor();
        await one.see('gallery-portal-restore');
        one.assertQuiet();
      });

      it(`of somebody who has bought nothing ${QUIET}`, async () => {
        await one.goto('/web/login?redirect=/my/instances');
        await logIn(one.page, newcomer.email, newcomer.password);
        await one.see('gallery-portal-empty');
        one.assertQuiet();
      });

      // Staff work at a computer; what they do on a phone is in staff.test.ts.
      if (look.device === 'computer' || process.env.SCREENS) {
        it(`of an instance in the back office ${QUIET}`, async () => {
          await enterOffice(w, one, 'manager');
          for (const name of ['over-limits', 'suspended', 'stopped', 'error', 'trial'] as const) {
            await openForm(one, 'saas.instance', shown[name]);
            await one.see(`gallery-office-${name}`);
          }
          await openForm(one, 'saas.instance', shown.running);
          for (const [button, name] of [
            ['action_suspend', 'suspend'],
            ['action_change_plan', 'change-plan'],
          ] as const) {
            await pressHeader(one, button);
            await one.page.locator('.modal button[name=action_confirm]:visible').waitFor();
            await one.see(`gallery-office-dialog-${name}`);
            await one.page.locator('.modal [special=cancel]').click();
            await one.page.locator('.modal').waitFor({ state: 'hidden' });
          }
          await openForm(one, 'res.partner', customer);
          await one.keep('gallery-office-customer');
          one.assertQuiet();
        });

        it(`of the menus of the back office ${QUIET}`, async () => {
          await enterOffice(w, one, 'manager');
          for (const action of [
            'instance',
            'attention',
            'todo',
            'grant',
            'command',
            'movement',
            'bridge_outage',
            'plan',
          ]) {
            await openAction(one, `saas_${action}_action`);
            await one.see(`gallery-office-menu-${action}`);
          }
          await openAction(one, 'saas_instance_action', 'list');
          await one.see('gallery-office-menu-instance-list');
          await openForm(one, 'product.template', await planTemplate(w.admin, 'pro'));
          await one.page.locator('.o_notebook a[name=saas]').click();
          await one.see('gallery-office-plan');
          for (const report of ['mrr', 'movements', 'renewals', 'failures', 'provisioning']) {
            await openAction(one, `saas_report_${report}_action`);
            await one.see(`gallery-office-report-${report}`);
          }
          await openAction(one, 'saas_report_mrr_action', 'pivot');
          await one.see('gallery-office-report-mrr-pivot');
          one.assertQuiet();
        });

        it(`of the administrator ${QUIET}`, async () => {
          await enterOffice(w, one, 'admin');
          await openAction(one, 'saas_settings_action');
          await one.page.locator('.o_setting_container').waitFor();
          await one.see('gallery-office-settings');
          await openAction(one, 'saas_bridge_connect_action');
          await one.page.locator('.modal button[name=action_generate]').waitFor();
          await one.see('gallery-office-connect');
          one.assertQuiet();
        });
      }

      it(`of the mails ${QUIET}`, async () => {
        for (const notice of NOTICES) {
          await one.seeMail(`gallery-mail-${notice}`, renderNotice(notice, look.lang, noticeValues));
        }
        one.assertQuiet();
      });
    });
  }
});
