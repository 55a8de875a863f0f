/** What customers see, from the first page of the shop to their own Odoo and through the year; in a real browser. */
import { expect } from 'chai';
import { newVisitor } from '../../compose/demo/cast.js';
import { type Mail, passwordIn } from '../../compose/demo/master.js';
import { instances, type Record as SaasRecord } from '../../compose/demo/records.js';
import { LOOKS, type Look, Onlooker } from '../support/browser.js';
import { mails, WELCOME } from '../support/customer.js';
import {
  addToCart,
  leaveBy,
  logIn,
  PLAN_NAMES,
  pay,
  register,
  speaks,
  toPayment,
  wishFor,
} from '../support/shopping.js';
import { travel } from '../support/time.js';
import { until, type World, world } from '../support/world.js';

const PAY_LINK = /https?:\/\/\S+\/my\/orders\/\d+\?\S*access_token=\S+/;
const SUBJECTS = {
  reminder: /vence|ends/,
  renewed: /Gracias por renovar|Thank you for renewing/,
  suspended: /está en pausa|is paused/,
  reactivated: /vuelve a estar activo|is active again/,
};

const QUIET = 'meets no error on the console, and nothing that keeps anybody from reading the pages';

describe('in a browser, a customer', function () {
  this.timeout(600_000);
  let w: World;
  const people = LOOKS.map((look) => ({
    look,
    visitor: newVisitor(look.language === 'es' ? 'Lucía Gil' : 'Mary Hill'),
  }));
  type Person = (typeof people)[number];
  const browsers = new Map<Look, Onlooker>();
  const browser = (look: Look): Onlooker => browsers.get(look) ?? expect.fail(`no browser for ${look.name}`);

  before(async () => {
    w = await world();
    for (const look of LOOKS) browsers.set(look, await Onlooker.open(w.master.master_url, look));
  });

  after(async () => {
    for (const one of browsers.values()) await one.close();
  });

  const recordOf = async ({ visitor }: Person): Promise<SaasRecord> => {
    const [record] = await instances(w.admin, [['contact_id.email', '=', visitor.email]]);
    return record ?? expect.fail(`${visitor.email} has no instance`);
  };
  const mailOf = ({ visitor }: Person, subject: RegExp): Promise<Mail> =>
    until(`a mail ${subject} to ${visitor.email}`, async () => (await mails(w, visitor.email, subject)).at(-1));

  for (const person of people) {
    const { look, visitor } = person;
    const wish = `acme-${look.name}`;

    describe(`new to the shop (${look.name})`, () => {
      it('reads what is sold, how it works and on which terms', async () => {
        const one = browser(look);
        await one.goto('/');
        await speaks(one);
        await one.see('shop-1-home');
        await leaveBy(one.page, '.o_saas_hero a[href$="/plans"]');
        expect(await one.page.locator('h1').innerText()).to.equal(one.say('Planes y precios', 'Plans and prices'));
        await one.see('shop-2-plans');
        for (const page of ['how-it-works', 'service-terms']) {
          await one.goto(`/${page}`);
          await speaks(one);
          await one.see(`shop-3-${page}`);
        }
      });

      it('registers and chooses a plan', async () => {
        const one = browser(look);
        await one.goto('/web/signup?redirect=/plans');
        await one.see('shop-4-sign-up');
        await register(one, visitor);
        await one.page.waitForURL(/\/plans/);
        await leaveBy(one.page, `.o_saas_card:has-text("${PLAN_NAMES.basico[look.language]}") a.btn`);
        await one.see('shop-5-plan');
        await addToCart(one);
        await one.see('shop-6-cart');
      });

      it('is told while typing whether the name of the new Odoo is free', async () => {
        const one = browser(look);
        expect(await wishFor(one, 'www')).to.include(one.say('no se puede elegir', 'cannot be chosen'));
        await one.see('shop-7-cart-reserved');
        expect(await wishFor(one, wish)).to.include(one.say('está libre', 'is free'));
        await one.see('shop-8-cart-free');
      });

      it('pays, and sees the Odoo come up without reloading', async () => {
        const one = browser(look);
        await toPayment(one);
        await one.see('shop-9-payment');
        await pay(one, /\/shop\/confirmation/);
        await one.page.locator('.js_saas_live .o_saas_box').waitFor();
        await one.see('shop-10-confirmation');
        await one.page.evaluate('window.notReloaded = true');
        await one.page.locator(`.js_saas_live a:has-text("${one.say('Abrir mi Odoo', 'Open my Odoo')}")`).waitFor();
        const { url } = await recordOf(person);
        expect(await one.page.evaluate('window.notReloaded')).to.equal(true);
        const address = await one.page.locator('.js_saas_live a.btn-primary').getAttribute('href');
        expect(address).to.satisfy((href: string) => href.startsWith(url));
        await one.see('shop-11-ready');
      });

      it('finds it in the account, with the password on request until it is used', async () => {
        const one = browser(look);
        await one.goto('/my');
        await one.see('portal-1-home');
        await leaveBy(one.page, 'a[href*="/my/instances"]:visible');
        await one.see('portal-2-list');
        await leaveBy(one.page, `a:has-text("${wish}")`);
        await one.page.click('#saas_password');
        const shown = one.page.locator('.js_saas_password_text');
        await until('the password', async () => !(await shown.innerText()).includes('•'));
        expect(await shown.innerText()).to.equal(passwordIn(await mailOf(person, WELCOME)));
        await one.page.click('#saas_password');
        await one.see('portal-3-instance');
      });

      it('opens it and logs in with the password of the mail', async () => {
        const one = browser(look);
        const mail = await mailOf(person, WELCOME);
        const opened = one.context.waitForEvent('page');
        await one.page.click('#saas_open');
        const own = await opened;
        await own.waitForURL(/\/web\/login/);
        const record = await recordOf(person);
        expect(record.name).to.equal(wish);
        expect(own.url()).to.satisfy((url: string) => url.startsWith(record.url));
        await logIn(own, visitor.email, passwordIn(mail));
        await own.locator('.o_web_client, .o_main_navbar').first().waitFor();
        await own.locator('body', { hasText: one.say('Conversaciones', 'Discuss') }).waitFor();
        await one.keep('own-1-odoo', own);
        await own.close();
        await one.seeMail('mail-welcome', mail);
        expect(mail.text).to.match(new RegExp(`Plan[: ]+${PLAN_NAMES.basico[look.language]}`));
      });

      it('writes to the team, and compares the plans', async () => {
        const one = browser(look);
        await one.page.fill('#message textarea', one.say('¿Puedo tener más espacio?', 'May I have more space?'));
        await leaveBy(one.page, '#message button[type=submit]');
        await one.page.locator('#message .o_saas_green').waitFor();
        await one.see('portal-4-message');
        await leaveBy(one.page, '#saas_plans');
        await one.see('portal-5-plans');
      });

      it(QUIET, () => browser(look).assertQuiet());
    });
  }

  it('buys by the month only, whatever the browser is made to post', async () => {
    const [look] = LOOKS;
    const guest = await Onlooker.open(w.master.master_url, look ?? expect.fail('no look'));
    const minutes = await unitOfAMinute(w);
    await guest.page.route('**/shop/cart/add', async (route) => {
      const request = route.request().postDataJSON();
      Object.assign(request.params, { uom_id: minutes, quantity: 60 });
      await route.continue({ postData: JSON.stringify(request) });
    });
    await guest.goto('/plans');
    await leaveBy(guest.page, `.o_saas_card:has-text("${PLAN_NAMES.basico[guest.look.language]}") a.btn`);
    await guest.page.click('#add_to_cart');
    const warning = guest.say('solo se puede comprar por', 'can be bought by');
    await guest.page.locator('.o_notification, .toast, .alert', { hasText: warning }).first().waitFor();
    await guest.see('shop-12-another-unit');
    await guest.goto('/shop/cart');
    expect(await guest.page.locator('#cart_products .o_cart_product').count()).to.equal(0);
    guest.assertQuiet();
    await guest.close();
  });

  describe('some weeks later', () => {
    before(async () => {
      for (const person of people) {
        await until(`${person.visitor.email} to be served`, async () => (await recordOf(person)).state === 'running');
      }
      await travel(w, 25);
    });

    for (const person of people) {
      const { look } = person;
      it(`renews from the link in the reminder, without a login (${look.name})`, async () => {
        const before = await recordOf(person);
        const mail = await mailOf(person, SUBJECTS.reminder);
        const guest = await Onlooker.open(w.master.master_url, look);
        await guest.seeMail('mail-reminder', mail);
        await guest.goto(PAY_LINK.exec(mail.text)?.[0] ?? expect.fail('no link in the reminder'));
        await guest.see('renew-1-quotation');
        await openPayment(guest);
        await guest.see('renew-2-payment');
        await pay(guest, /\/my\/orders\/|\/payment\/status/);
        await until('the new date', async () => (await recordOf(person)).paid_until > before.paid_until);
        await guest.seeMail('mail-renewed', await mailOf(person, SUBJECTS.renewed));
        guest.assertQuiet();
        await guest.close();
      });
    }
  });

  describe('who has not paid any more', () => {
    before(async () => {
      await travel(w, 65);
      for (const person of people) {
        await until(
          `${person.visitor.email} to be suspended`,
          async () => (await recordOf(person)).state === 'suspended',
        );
      }
    });

    for (const person of people) {
      const { look } = person;
      it(`reads why, pays on the page, and sees it come back (${look.name})`, async () => {
        const one = browser(look);
        const record = await recordOf(person);
        await one.seeMail('mail-suspended', await mailOf(person, SUBJECTS.suspended));
        await one.goto(record.url);
        await one.see('suspended-1-own-address');
        await leaveBy(one.page, 'a[href*="/my/instances/named/"]');
        expect(new URL(one.page.url()).pathname).to.match(new RegExp(`/my/instances/${record.id}$`));
        await one.see('suspended-2-page');
        expect(await one.page.locator('#saas_renew').innerText()).to.equal(one.say('Pagar ahora', 'Pay now'));
        await leaveBy(one.page, '#saas_renew');
        await openPayment(one);
        await pay(one, /\/my\/orders\/|\/payment\/status/);
        await one.page.locator(`.js_saas_live a:has-text("${one.say('Abrir mi Odoo', 'Open my Odoo')}")`).waitFor();
        await one.see('suspended-3-back');
        expect((await recordOf(person)).state).to.equal('running');
        await one.seeMail('mail-reactivated', await mailOf(person, SUBJECTS.reactivated));
        // The page of what is suspended says so to programs too.
        one.assertQuiet(/status of 503/);
      });
    }
  });
});

/** The unit of a visitor who would rather pay by the minute; Odoo's own where there is one. */
async function unitOfAMinute({ admin }: World): Promise<number> {
  const [known] = (await admin.call('uom.uom', 'search', [[['name', 'ilike', 'minute']]], { limit: 1 })) as number[];
  if (known) return known;
  const [hour] = (await admin.call('uom.uom', 'search', [[['name', 'in', ['Hours', 'Horas']]]], {
    limit: 1,
  })) as number[];
  const minute = {
    name: 'Minutes',
    relative_uom_id: hour ?? expect.fail('no unit of an hour'),
    relative_factor: 1 / 60,
  };
  return (await admin.call('uom.uom', 'create', [minute])) as number;
}

/** A link to pay opens the payment by itself. */
async function openPayment({ page }: Onlooker): Promise<void> {
  await page.locator('#o_payment_form').waitFor({ state: 'visible' });
}
