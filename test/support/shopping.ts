/** The ways of a customer through the pages of the shop, by clicks and keys in a browser. */
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import type { Visitor } from '../../compose/demo/shopper.js';
import type { Onlooker } from './browser.js';

/** The shop's names of its plans. */
export const PLAN_NAMES = { basico: { es: 'Básico', en: 'Basic' } } as const;

/** Registers at the form that is open; ends where that leads. */
export async function register({ page }: Onlooker, visitor: Visitor): Promise<void> {
  await page.fill('input[name=login]', visitor.email);
  await page.fill('input[name=name]', visitor.name);
  await page.fill('input[name=password]', visitor.password);
  await page.fill('input[name=confirm_password]', visitor.password);
  await leaveBy(page, '.oe_signup_form button[type=submit]');
}

/** Logs in at the form that is open, the shop's or that of one's own Odoo; ends where that leads. */
export async function logIn(page: Page, login: string, password: string): Promise<void> {
  await page.fill('input[name=login]', login);
  await page.fill('input[name=password]', password);
  await leaveBy(page, '.oe_login_form button[type=submit]');
}

/** What is clicked or typed before the scripts of a page have begun does nothing: Odoo says when they have. */
async function ready(page: Page): Promise<void> {
  await page.locator('body[is-ready=true]').waitFor({ state: 'attached' });
}

/** From the page of a plan into the cart. */
export async function addToCart({ page }: Onlooker): Promise<void> {
  await ready(page);
  const added = page.waitForResponse((response) => response.url().endsWith('/shop/cart/add'));
  await page.click('#add_to_cart');
  await (await added).finished();
  await page.goto('/shop/cart');
}

/** Types a name into the cart's question and gives what the page says of it. */
export async function wishFor({ page }: Onlooker, name: string): Promise<string> {
  await ready(page);
  const answered = page.waitForResponse((response) => response.url().endsWith('/shop/saas/name'));
  await page.fill('.o_saas_wish input[name=name]', name);
  await (await answered).finished();
  const answer = page.locator('.o_saas_answer .o_saas_good, .o_saas_answer .o_saas_bad');
  await answer.filter({ hasText: name }).waitFor();
  return answer.innerText();
}

/** From the cart, or a page on the way, to the payment. */
export async function toPayment({ page }: Onlooker): Promise<void> {
  await leaveBy(page, '[name=website_sale_main_button]:visible >> nth=0');
  await page.waitForURL(/\/shop\/payment/);
}

/** Pays with the Demo provider on a page that shows Odoo's payment form; ends on the page after the payment. */
export async function pay({ page }: Onlooker, landing: RegExp): Promise<void> {
  const demo = page.locator('input[name=o_payment_radio][data-provider-code=demo]');
  await demo.waitFor({ state: 'attached' });
  if (!(await demo.isChecked())) await demo.check();
  await page.locator('input[name=customer_input]:visible').fill('4242 4242 4242 4242');
  const button = page.locator('button[name=o_payment_submit_button]:visible').first();
  await button.and(page.locator(':enabled')).waitFor();
  await button.click();
  await page.waitForURL(landing);
}

/** Clicks what leads to another page, and waits for that page. */
export async function leaveBy(page: Page, selector: string): Promise<void> {
  const left = page.waitForNavigation({ waitUntil: 'load' });
  await page.locator(selector).first().click();
  await left;
}

/** Every page of ours says what it is in the language that was asked for. */
export async function speaks({ page, look }: Onlooker): Promise<void> {
  expect(await page.locator('html').getAttribute('lang')).to.match(look.language === 'es' ? /^es/ : /^en/);
}
