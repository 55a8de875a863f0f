import { expect } from 'chai';
import { type NoticeValues, renderNotice } from '../../../src/odoo/mail.js';

const values: NoticeValues = {
  contactName: 'María José',
  instanceName: 'La Espiga',
  url: 'https://espiga.example.com',
  login: 'maria@espiga.example',
  password: 'Kx7<&"=9',
  planName: 'Pro',
  paidUntil: new Date('2026-11-22T23:30:00Z'),
  timeZone: 'Europe/Madrid',
  companyName: 'Nube, S.L.',
  payUrl: 'https://shop.example.com/pay?a=1&b=2',
  keptUntil: new Date('2026-12-22T23:30:00Z'),
};

describe('renderNotice', () => {
  it('welcomes in Spanish, with the way in', () => {
    const { subject, html, text } = renderNotice('welcome', 'es_MX', values);
    expect(subject).to.equal('Su Odoo está listo: La Espiga');
    expect(html).to.match(/^<!doctype html>\n<html lang="es">/);
    expect(html).to.contain('>Abrir mi Odoo</a>').and.contain('href="https://espiga.example.com"');
    expect(html).to.contain('Kx7&lt;&amp;&quot;&#x3D;9').and.contain('Cambie la contraseña');
    expect(text).to.contain('Contraseña temporal: Kx7<&"=9\n').and.contain('Usuario: maria@espiga.example\n');
    expect(text).to.contain('Pagado hasta el 23 de noviembre de 2026');
  });

  for (const [lang, date, button] of [
    ['es_ES', '23 de noviembre de 2026', 'Abrir mi Odoo'],
    ['es_419', '23 de noviembre de 2026', 'Abrir mi Odoo'],
    ['es', '23 de noviembre de 2026', 'Abrir mi Odoo'],
    ['en_US', 'November 23, 2026', 'Open my Odoo'],
    ['en_GB', '23 November 2026', 'Open my Odoo'],
    ['fr_FR', 'November 23, 2026', 'Open my Odoo'],
    ['sr@latin', 'November 23, 2026', 'Open my Odoo'],
    ['', 'November 23, 2026', 'Open my Odoo'],
  ] as const) {
    it(`language "${lang}"`, () => {
      const { html } = renderNotice('reactivated', lang, values);
      expect(html).to.contain(date).and.contain(button);
    });
  }

  it('suspended: where to pay, how long the data stays, no password', () => {
    const { html, text } = renderNotice('suspended', 'es_ES', values);
    expect(html).to.contain('href="https://shop.example.com/pay?a&#x3D;1&amp;b&#x3D;2"').and.contain('Renovar ahora');
    expect(text).to.contain('Los guardamos hasta el 23 de diciembre de 2026.');
    expect(html + text).to.not.contain('Kx7');
  });

  it('leaves out what is not known', () => {
    const bare: NoticeValues = { ...values, password: null, paidUntil: null, payUrl: null, keptUntil: null };
    for (const notice of ['welcome', 'suspended', 'reactivated'] as const) {
      for (const lang of ['es_ES', 'en_US']) {
        const { subject, html, text } = renderNotice(notice, lang, bare);
        expect(subject + html + text).to.not.match(/null|undefined|\{\{|contraseña temporal|temporary password/i);
        expect(text).to.not.match(/\n{3}/);
      }
    }
  });

  it('a hostile name stays text, on one line, and bounded', () => {
    const name = `<script>alert(1)</script>{{password}}"\r\nBcc: x\u2028\u202e\u0000👩‍👩‍👧‍👦${'W'.repeat(300)}`;
    for (const notice of ['welcome', 'suspended', 'reactivated'] as const) {
      const all = { ...values, contactName: name, instanceName: name, planName: name, companyName: name, login: name };
      const { subject, html, text } = renderNotice(notice, 'es_ES', all);
      expect(html)
        .to.not.contain('<script')
        .and.not.match(/W{200}/);
      expect(html).to.contain('&lt;script&gt;alert(1)&lt;/script&gt;{{password}}&quot; Bcc: x 👩‍👩‍👧‍👦W');
      expect(text).to.contain('<script>alert(1)</script>{{password}}" Bcc: x 👩‍👩‍👧‍👦W').and.not.contain('\nBcc');
      expect(subject).to.match(/^[^\p{Cc}\u2028\u202e]{10,140}$/u);
    }
  });

  it('greets without a name that holds an address', () => {
    for (const contactName of ['WIN at https://evil.example', 'www.evil.example', 'evil.com', 'a@b.c', '', '  ']) {
      expect(renderNotice('welcome', 'es_ES', { ...values, contactName }).text).to.match(/^Hola:\n/);
    }
    for (const contactName of ['Nube Clara, S.L.', 'J. R. Pérez']) {
      expect(renderNotice('welcome', 'en_US', { ...values, contactName }).text).to.contain(`Hello ${contactName},`);
    }
  });

  it('refuses addresses that are not of the web', () => {
    for (const url of ['javascript:alert(1)', 'espiga.example.com', '']) {
      expect(() => renderNotice('welcome', 'es', { ...values, url })).to.throw('neither http nor https');
    }
  });
});
