/** What customers see behind an edge: https, a name of their own, a page that says so where it is down; in a real browser. */
import { expect } from 'chai';
import { newVisitor } from '../../compose/demo/cast.js';
import { type Mail, passwordIn } from '../../compose/demo/master.js';
import { instances, type Record as SaasRecord } from '../../compose/demo/records.js';
import { LOOKS, Onlooker } from '../support/browser.js';
import { mails, WELCOME } from '../support/customer.js';
import { dnsHook, type Edge, theEdge } from '../support/edge.js';
import { addToCart, leaveBy, logIn, PLAN_NAMES, pay, register, toPayment, wishFor } from '../support/shopping.js';
import { travel } from '../support/time.js';
import { until, type World, world } from '../support/world.js';

const DOMAIN = 'clientes.test';

describe('in a browser, a customer behind an edge', function () {
  this.timeout(600_000);
  let w: World;
  let edge: Edge;
  let one: Onlooker;
  let settings: Record<string, string>;
  const look = LOOKS[0] ?? expect.fail('no look');
  const visitor = newVisitor('Carmen Ruiz');
  const address = `https://segura.${DOMAIN}`;

  const record = async (): Promise<SaasRecord> => {
    const [found] = await instances(w.admin, [['contact_id.email', '=', visitor.email]]);
    return found ?? expect.fail('no instance');
  };
  const mailOf = (subject: RegExp): Promise<Mail> =>
    until(`a mail ${subject}`, async () => (await mails(w, visitor.email, subject)).at(-1));

  before(async () => {
    edge = await theEdge();
    await edge.script('certificate', {
      ...{ EDGE_DOMAIN: DOMAIN, EDGE_DNS: 'exec', EXEC_PATH: dnsHook(edge.dir) },
      EDGE_LEGO_OPTIONS: '--dns.propagation-wait 1s',
    });
    w = await world();
    settings = {
      SAAS_EDGE_DIR: edge.dir,
      SAAS_INSTANCE_URL: `https://{name}.${DOMAIN}`,
      SAAS_PROXY_MODE: 'yes',
    };
    await w.restart({ settings });
    one = await Onlooker.open(w.master.master_url, look, {
      ...{ name: 'browser-edge', portShift: 1, ca: edge.ca },
      arguments: [`--host-resolver-rules=MAP *.${DOMAIN} 127.0.0.1:${edge.ports.EDGE_HTTPS_PORT}`],
    });
  });
  after(async () => {
    await one?.close();
    await w?.restart({});
  });

  it('buys, and is led to an address of https with a name of its own', async () => {
    await one.goto('/web/signup?redirect=/plans');
    await register(one, visitor);
    await leaveBy(one.page, `.o_saas_card:has-text("${PLAN_NAMES.basico[look.language]}") a.btn`);
    await addToCart(one);
    await wishFor(one, 'segura');
    await toPayment(one);
    await pay(one, /\/shop\/confirmation/);
    const link = one.page.locator(`.js_saas_live a:has-text("${one.say('Abrir mi Odoo', 'Open my Odoo')}")`);
    await link.waitFor();
    expect(await link.getAttribute('href')).to.satisfy((href: string) => href.startsWith(address));
    expect((await record()).url).to.equal(address);
  });

  it('meets a certificate that the browser trusts, and logs in', async () => {
    const response = await one.page.goto(`${address}/web/login`);
    expect((await response?.securityDetails())?.issuer).to.match(/Pebble/);
    expect(await one.page.evaluate('isSecureContext')).to.equal(true);
    await logIn(one.page, visitor.email, passwordIn(await mailOf(WELCOME)));
    await one.page.locator('.o_web_client, .o_main_navbar').first().waitFor();
    const session = (await one.context.cookies(address)).find(({ name }) => name === 'session_id');
    expect(session).to.deep.include({ secure: true, httpOnly: true, domain: `segura.${DOMAIN}` });
    // The websocket of Odoo's own pages goes through too.
    await until('the bus', () =>
      one.page.evaluate<boolean>(
        `new Promise((resolve) => {
          const socket = new WebSocket('wss://segura.${DOMAIN}/websocket?version=19.0-2');
          socket.onopen = () => resolve(true);
          socket.onerror = () => resolve(false);
        })`,
      ),
    );
  });

  it('reads at its own address that it is suspended, pays, and has it back there', async () => {
    await travel(w, 45, undefined, settings);
    await until('the suspension', async () => (await record()).state === 'suspended');
    const response = await one.page.goto(`${address}/web`);
    expect(response?.status()).to.equal(503);
    expect(await one.page.locator('h1').innerText()).to.equal(one.say('Servicio suspendido', 'Service suspended'));
    await one.see('edge-1-suspended');
    await leaveBy(one.page, 'a[href*="/my/instances/named/"]');
    await leaveBy(one.page, '#saas_renew');
    await one.page.locator('#o_payment_form').waitFor({ state: 'visible' });
    await pay(one, /\/my\/orders\/|\/payment\/status/);
    await until('its return', async () => (await record()).state === 'running');
    await one.page.goto(`${address}/web`);
    await one.page.locator('.o_web_client, .o_main_navbar').first().waitFor();
  });

  it('reads at an address that is nobody’s that there is none', async () => {
    const response = await one.page.goto(`https://nadie.${DOMAIN}/`);
    expect(response?.status()).to.equal(404);
    await one.see('edge-2-unknown');
    one.assertQuiet(/status of (404|503)/);
  });
});
