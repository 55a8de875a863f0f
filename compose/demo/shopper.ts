/**
 * A customer with a browser's manners: keeps cookies, follows the shop's own pages and fills in its own forms, from
 * the plan's page to the paid order. Nothing is written to the master but what a visitor can write.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type HTMLElement, parse } from 'node-html-parser';

export interface Visitor {
  name: string;
  email: string;
  password: string;
  company: string;
  street: string;
  city: string;
  zip: string;
  phone: string;
  /** ISO country code. */
  country: string;
}

export interface PaidOrder {
  /** S00042 */
  order: string;
  orderId: number;
  /** When the payment provider had confirmed the payment; the shop confirms the order after it. */
  paidAt: Date;
}

/** `pending`: money is on its way, as with a bank transfer. */
export type PaymentState = 'done' | 'pending';

const REQUEST_TIMEOUT_MS = 60_000;

export class Shopper {
  readonly #base: string;
  readonly #language: string;
  readonly #cookies = new Map<string, string>();

  /** @param language what the browser asks for, e.g. `es-ES` or `en-US`. */
  constructor(baseUrl: string, language = 'es-ES') {
    this.#base = baseUrl.replace(/\/+$/, '');
    this.#language = language;
  }

  /** Signs up through the shop's form; the visitor is logged in afterwards. */
  async register(visitor: Visitor): Promise<void> {
    const page = await this.#page('/web/signup');
    const response = await this.#post('/web/signup', {
      csrf_token: value(page, 'input[name=csrf_token]'),
      login: visitor.email,
      name: visitor.name,
      password: visitor.password,
      confirm_password: visitor.password,
    });
    await this.#mustBeLoggedIn(response, 'sign up');
  }

  /** Logs an existing customer in. */
  async login(email: string, password: string): Promise<void> {
    const page = await this.#page('/web/login');
    const response = await this.#post('/web/login', {
      csrf_token: value(page, 'input[name=csrf_token]'),
      login: email,
      password,
    });
    await this.#mustBeLoggedIn(response, 'log in');
  }

  /** Buys `quantity` of the product named `product`, and pays with the Demo provider. */
  async buy(product: string, visitor: Visitor, quantity = 1): Promise<PaidOrder> {
    await this.putIntoCart(product, quantity);
    await this.#giveAddress(visitor);
    return this.#pay('/shop/payment');
  }

  /** Takes a product that costs nothing: the shop asks for no payment, only for a click. */
  async takeFree(product: string, visitor: Visitor): Promise<void> {
    await this.putIntoCart(product);
    await this.#giveAddress(visitor);
    const page = await this.#page('/shop/payment');
    const confirm = page.querySelector('form[name=o_wsale_confirm_order]');
    if (!confirm) throw new Error('the shop does not let the order be confirmed without a payment');
    const response = await this.#post(confirm.getAttribute('action') ?? '', {
      csrf_token: value(confirm, 'input[name=csrf_token]'),
    });
    if (!response.url.includes('/shop/confirmation'))
      throw new Error(`the shop shows ${response.url}, no confirmation`);
  }

  /** @throws Error with the shop's own message when it refuses. */
  async putIntoCart(product: string, quantity = 1): Promise<void> {
    const page = await this.#page(await this.#productPath(product));
    const added = await this.#rpc<{ quantity: number; notification_info?: { warning?: string } }>('/shop/cart/add', {
      product_template_id: Number(value(page, 'input[name=product_template_id]')),
      product_id: Number(value(page, 'input[name=product_id]')),
      quantity,
    });
    if (added.quantity < quantity) throw new Error(added.notification_info?.warning ?? `the shop adds no ${product}`);
  }

  /** A page as this visitor sees it; a page that is refused is an error. */
  async see(path: string): Promise<HTMLElement> {
    return this.#page(path);
  }

  /** Sends the form of the page that leads to `action`, as its button does. Gives where that ends. */
  async press(path: string, action: RegExp, fields: Record<string, string> = {}): Promise<string> {
    const page = await this.#page(path);
    const form = page.querySelectorAll('form').find((one) => action.test(one.getAttribute('action') ?? ''));
    if (!form) throw new Error(`${path} has no button for ${action}`);
    const hidden = form
      .querySelectorAll('input[type=hidden]')
      .map((input) => [input.getAttribute('name') ?? '', input.getAttribute('value') ?? '']);
    const target = form.getAttribute('action') ?? '';
    const response = await this.#post(target, { ...Object.fromEntries(hidden), ...fields });
    return response.url;
  }

  /** Pays a quotation through the link in a mail, as whoever has it: no login. */
  async payLink(url: string, state: PaymentState = 'done'): Promise<PaidOrder> {
    return this.#pay(url, state);
  }

  /** As `payLink`; the browser is closed when the payment has arrived and the shop does not know yet. */
  async payLinkAndLeave(url: string): Promise<PaidOrder> {
    return this.#pay(url, 'done', true);
  }

  async #productPath(product: string): Promise<string> {
    const shop = await this.#page('/shop');
    const link = shop.querySelectorAll('a[href*="/shop/"]').find((anchor) => anchor.getAttribute('title') === product);
    if (!link) throw new Error(`the shop does not show a product named "${product}"`);
    return link.getAttribute('href') ?? '';
  }

  /** The shop asks no address for a service; somebody who wants an invoice gives one all the same. */
  async #giveAddress(visitor: Visitor): Promise<void> {
    const checkout = await this.#page('/shop/checkout');
    const edit = checkout.querySelector('a[href*="/shop/address"][href*="partner_id"]')?.getAttribute('href');
    const page = await this.#page(edit?.replaceAll('&amp;', '&') ?? '/shop/address?address_type=billing');
    const form = page.querySelector('form.address_autoformat');
    if (!form) throw new Error('the shop does not show its address form');
    const country = page
      .querySelectorAll('select[name=country_id] option')
      .find((option) => option.getAttribute('code') === visitor.country);
    const fields: Record<string, string> = {};
    for (const input of form.querySelectorAll('input[type=hidden]')) {
      fields[input.getAttribute('name') ?? ''] = input.getAttribute('value') ?? '';
    }
    const state = page
      .querySelectorAll('select[name=state_id] option')
      .find((option) => (option.getAttribute('value') ?? '') !== '');
    const response = await this.#post('/shop/address/submit', {
      ...fields,
      name: visitor.name,
      email: visitor.email,
      phone: visitor.phone,
      company_name: visitor.company,
      street: visitor.street,
      city: visitor.city,
      zip: visitor.zip,
      country_id: country?.getAttribute('value') ?? '',
      state_id: state?.getAttribute('value') ?? '',
    });
    const feedback = (await response.json()) as {
      redirectUrl?: string;
      invalid_fields?: string[];
      messages?: string[];
    };
    if (!feedback.redirectUrl) throw new Error(`the shop refused the address: ${JSON.stringify(feedback)}`);
    await this.#get(feedback.redirectUrl);
  }

  /** Pays on a page that shows Odoo's payment form, with the Demo provider. */
  async #pay(where: string, state: PaymentState = 'done', leave = false): Promise<PaidOrder> {
    const page = await this.#page(where);
    const form = page.querySelector('form#o_payment_form');
    const demo = page.querySelector('input[name=o_payment_radio][data-provider-code=demo]');
    if (!form || !demo) throw new Error('the payment page does not offer the Demo provider');
    const route = form.getAttribute('data-transaction-route') ?? '';
    const transaction = await this.#rpc<{ reference: string }>(route, {
      provider_id: Number(demo.getAttribute('data-provider-id')),
      payment_method_id: Number(demo.getAttribute('data-payment-option-id')),
      token_id: null,
      amount: Number(form.getAttribute('data-amount')),
      flow: 'direct',
      tokenization_requested: false,
      landing_route: form.getAttribute('data-landing-route'),
      is_validation: false,
      access_token: form.getAttribute('data-access-token'),
    });
    await this.#rpc('/payment/demo/simulate_payment', {
      reference: transaction.reference,
      payment_details: '4242424242424242',
      simulated_state: state,
    });
    const paid = { order: transaction.reference.replace(/-\d+$/, ''), orderId: orderIn(route), paidAt: new Date() };
    if (leave) return paid;
    await this.#page('/payment/status');
    const status = await this.#pollStatus();
    if (status.state !== state) throw new Error(`the payment is ${status.state}, not ${state}`);
    await this.#page(status.landing_route);
    return paid;
  }

  /** Asks again where the shop says so: somebody else writes to the same order at that moment. */
  async #pollStatus(tries = 10): Promise<{ state: string; landing_route: string }> {
    const answer = this.#rpc<{ state: string; landing_route: string }>('/payment/status/poll', {});
    return answer.catch(async (error: Error) => {
      if (tries <= 1 || !error.message.endsWith(': retry')) throw error;
      await sleep(500);
      return this.#pollStatus(tries - 1);
    });
  }

  async #mustBeLoggedIn(response: Response, what: string): Promise<void> {
    const page = parse(await response.text());
    const problem = page.querySelector('.alert-danger')?.text.trim();
    if (problem || response.url.includes('/web/login') || response.url.includes('/web/signup')) {
      throw new Error(`the shop did not let the visitor ${what}: ${problem ?? response.url}`);
    }
  }

  async #page(path: string): Promise<HTMLElement> {
    return parse(await (await this.#get(path)).text());
  }

  async #get(path: string): Promise<Response> {
    return this.#fetch(path, { method: 'GET' });
  }

  async #post(path: string, form: Record<string, string>): Promise<Response> {
    return this.#fetch(path, { method: 'POST', body: new URLSearchParams(form) });
  }

  async #rpc<T>(path: string, params: Record<string, unknown>): Promise<T> {
    const response = await this.#fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', method: 'call', params }),
    });
    const reply = (await response.json()) as { result: T; error?: { data?: { message?: string }; message: string } };
    if (reply.error) throw new Error(`${path}: ${reply.error.data?.message ?? reply.error.message}`);
    return reply.result;
  }

  /** One request with this visitor's cookies; follows redirects itself so that cookies set on the way are kept. */
  async #fetch(path: string, init: RequestInit, hops = 0): Promise<Response> {
    const url = new URL(path, this.#base);
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      headers: {
        ...init.headers,
        'accept-language': this.#language,
        cookie: [...this.#cookies].map(([name, text]) => `${name}=${text}`).join('; '),
      },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      const at = pair.indexOf('=');
      this.#cookies.set(pair.slice(0, at).trim(), pair.slice(at + 1).trim());
    }
    const location = response.headers.get('location');
    if (location && response.status >= 300 && response.status < 400) {
      if (hops > 10) throw new Error(`${url.pathname} redirects without end`);
      return this.#fetch(new URL(location, url).href, { method: 'GET' }, hops + 1);
    }
    if (!response.ok) throw new Error(`${url.pathname} answered ${response.status}`);
    return response;
  }
}

/** `/shop/payment/transaction/7`, or `/my/orders/7/transaction?…` */
function orderIn(route: string): number {
  return Number(/\/(\d+)(?:\/|\?|$)/.exec(route)?.[1]);
}

function value(page: HTMLElement, selector: string): string {
  const found = page.querySelector(selector)?.getAttribute('value');
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}
