/** What customers see behind an edge: https, a name of their own, a page that says so where it is down; in a real browser. */
import { expect } from 'chai';
import { newVisitor } from '../../compose/demo/cast.js';
import { type Mail, passwordIn } from '../../compose/demo/master.js';
import { instances, type Record as SaasRecord } from '../../compose/demo/records.js';
import { LOOKS, Onlooker } from '../support/browser.js';
import { mails, ownOdoo, WELCOME } from '../support/customer.js';
import { type DnsServer, type Records, startDns } from '../support/dns.js';
import { dnsHook, type Edge, theEdge } from '../support/edge.js';
import { containersOf } from '../support/engine.js';
import { addToCart, leaveBy, logIn, PLAN_NAMES, pay, register, toPayment, wishFor } from '../support/shopping.js';
import { travel } from '../support/time.js';
import { until, type World, world } from '../support/world.js';

const DOMAIN = 'clientes.test';
/** What the customer has bought elsewhere, and where the edge is for everybody. */
const OWN = 'www.panes-carmen.test';
const EDGE_ADDRESS = '198.51.100.7';

describe('in a browser, a customer behind an edge', function () {
  this.timeout(600_000);
  let w: World;
  let edge: Edge;
  let one: Onlooker;
  let dns: DnsServer;
  let settings: Record<string, string>;
  const look = LOOKS[0] ?? expect.fail('no look');
  const visitor = newVisitor('Carmen Ruiz');
  const address = `https://segura.${DOMAIN}`;
  const own = `https://${OWN}`;

  const record = async (): Promise<SaasRecord> => {
    const [found] = await instances(w.admin, [['contact_id.email', '=', visitor.email]]);
    return found ?? expect.fail('no instance');
  };
  const plan = async (values: object): Promise<void> => {
    const ids = await w.admin.call('product.template', 'search', [[['saas_plan_code', '=', 'basico']]]);
    await w.admin.call('product.template', 'write', [ids, values]);
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
    dns = await startDns();
    settings = {
      SAAS_EDGE_DIR: edge.dir,
      SAAS_EDGE_ADDRESSES: EDGE_ADDRESS,
      SAAS_EDGE_SOCKET: `127.0.0.1:${edge.ports.EDGE_HTTPS_PORT}`,
      SAAS_DNS_SERVERS: dns.address,
      SAAS_INSTANCE_URL: `https://{name}.${DOMAIN}`,
      SAAS_PROXY_MODE: 'yes',
    };
    await w.restart({ settings });
    one = await Onlooker.open(w.master.master_url, look, {
      ...{ name: 'browser-edge', portShift: 1, ca: edge.ca },
      arguments: [`--host-resolver-rules=MAP *.test 127.0.0.1:${edge.ports.EDGE_HTTPS_PORT}`],
    });
  });
  after(async () => {
    await one?.close();
    dns?.close();
    await plan({ saas_domains: 0, saas_sleep_hours: 0 });
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

  it('gives it a domain of their own, is told each mistake in DNS, and is led there', async () => {
    await w.restart({ settings });
    await plan({ saas_domains: 1 });
    const { id } = await record();
    await one.goto(`/my/instances/${id}`);
    await leaveBy(one.page, '#saas_domains');
    await one.page.locator('#saas_host').fill(`https://${OWN.toUpperCase()}/`);
    await leaveBy(one.page, '#saas_domain_add');
    const says = (es: string, en: string) =>
      one.page.locator(`.js_saas_content:has-text("${one.say(es, en)}")`).waitFor();
    await says('Todavía no encontramos el registro TXT', 'We do not find the TXT record');
    await one.see('edge-3-domain');
    const proof = await one.page.locator('tr:has-text("TXT") code').nth(1).innerText();
    expect(proof).to.match(/^odoo-saas=[0-9a-f]{32}$/);
    const check = async (records: { [host: string]: Records }, es: string, en: string) => {
      for (const [host, found] of Object.entries(records)) dns.records.set(host, found);
      await leaveBy(one.page, 'button[id^="saas_check_"]');
      await says(es, en);
    };
    await check(
      { [`_odoo-saas.${OWN.slice(4)}`]: { TXT: [proof] } },
      'todavía no lleva a ningún sitio',
      'leads nowhere yet',
    );
    await check({ [OWN]: { A: ['104.16.1.1'] } }, 'un proxy delante', 'a proxy before');
    await check({ [OWN]: { A: ['10.0.0.5'] } }, 'una red privada', 'a private network');
    const theirs = { A: [EDGE_ADDRESS] };
    await check(
      { [OWN]: { CNAME: `segura.${DOMAIN}` }, [`segura.${DOMAIN}`]: theirs },
      'Su Odoo está en',
      'Your Odoo is at',
    );
    await one.see('edge-4-domain-active');
    await until('the record to say so', async () => (await record()).url === own);
    const odoo = await ownOdoo(w, await record(), visitor.email);
    const base = () => odoo.call('ir.config_parameter', 'get_param', ['web.base.url']);
    await until('its Odoo to know', async () => (await base()) === own);
    await odoo.close();
    expect(await mailOf(new RegExp(OWN))).to.have.property('to');
  });

  it('is sent from the old address to the new one, whose certificate the browser trusts', async () => {
    await one.page.goto(`${address}/odoo?debug=1`);
    expect(await one.page.evaluate('isSecureContext')).to.equal(true);
    expect(one.page.url()).to.satisfy((url: string) => url.startsWith(`${own}/web/login`));
    await logIn(one.page, visitor.email, passwordIn(await mailOf(WELCOME)));
    await one.page.locator('.o_web_client, .o_main_navbar').first().waitFor();
    expect(new URL(one.page.url()).host).to.equal(OWN);
    // What programs send to the old address arrives.
    const called = await edge.ask(`segura.${DOMAIN}`, {
      ...{ path: '/web/webclient/version_info', method: 'POST', headers: { 'Content-Type': 'application/json' } },
      body: '{}',
    });
    expect(called.body).to.contain('server_version');
  });

  it('lets it sleep, and finds it awake at the page that was asked for', async () => {
    await plan({ saas_sleep_hours: 2 });
    // It was last started 45 days from now: see above.
    const asleep = async (days: number) => {
      await one.page.goto('about:blank');
      await travel(w, days, undefined, settings);
      await until('it to sleep', async () => {
        const fields = ['asleep_since'];
        const [now] = (await w.admin.call('saas.instance', 'read', [[(await record()).id], fields])) as SaasRecord[];
        const runs = (await containersOf(await record())).filter(({ State }) => State === 'running').length;
        return now && 'asleep_since' in now && now.asleep_since !== false && runs === 0;
      });
    };
    await asleep(46);
    const startedAt = performance.now();
    await one.page.goto(`${own}/odoo?debug=2`);
    process.stdout.write(`      woken for a browser in ${Math.round(performance.now() - startedAt)} ms\n`);
    expect(one.page.url()).to.satisfy((url: string) => url.startsWith(own));
    await one.page.locator('.o_web_client, .o_main_navbar').first().waitFor();
    await asleep(47);
    const [path, headers] = ['/web/session/authenticate', { 'Content-Type': 'application/json' }];
    const params = { db: 'odoo', login: visitor.email, password: passwordIn(await mailOf(WELCOME)) };
    const body = JSON.stringify({ jsonrpc: '2.0', method: 'call', params });
    const sent = await edge.ask(OWN, { method: 'POST', path, headers, body });
    expect(sent.status).to.equal(307);
    expect(sent.headers.location).to.equal(path);
    const again = await edge.ask(OWN, { method: 'POST', path: sent.headers.location ?? '', headers, body });
    expect(JSON.parse(again.body)).to.have.nested.property('result.uid').that.is.greaterThan(1);
    // Odoo's own page tells the console when it is cut off.
    one.assertQuiet(/./);
  });

  it('takes the domain away, and the old address is the address', async () => {
    await plan({ saas_sleep_hours: 0 });
    await w.restart({ settings });
    await one.goto(`/my/instances/${(await record()).id}/domains`);
    await leaveBy(one.page, 'button[id^="saas_remove_"]');
    await until('the record to say so', async () => (await record()).url === address);
    const refused = await edge.ask(OWN).then(
      ({ status }) => status,
      (error: Error) => error.message,
    );
    expect(refused, 'a dangling CNAME leads to nobody').to.satisfy(
      (what: unknown) => what === 404 || /alert/.test(`${what}`),
    );
    expect((await edge.ask(`segura.${DOMAIN}`, { path: '/web/login' })).status).to.equal(200);
  });

  it('reads at an address that is nobody’s that there is none', async () => {
    const response = await one.page.goto(`https://nadie.${DOMAIN}/`);
    expect(response?.status()).to.equal(404);
    await one.see('edge-2-unknown');
    one.assertQuiet(/status of (404|503)/);
  });
});
