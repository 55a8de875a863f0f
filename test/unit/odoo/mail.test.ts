import { expect } from 'chai';
import { type Mail, type NoticeValues, renderNotice, type SuspendReason } from '../../../src/odoo/mail.js';
import { NOTICES, type Notice } from '../../../src/protocol/push.js';
import { noticeValues as values } from '../../support/notices.js';

/** Only what every notice must be given. */
const bare: NoticeValues = {
  contactName: '',
  instanceName: 'La Espiga',
  url: 'https://espiga.example.com',
  login: 'maria@espiga.example',
  password: null,
  planName: 'Pro',
  paidUntil: null,
  timeZone: 'Europe/Madrid',
  companyName: '',
};

const nulls: NoticeValues = {
  ...bare,
  trial: null,
  payUrl: null,
  amount: null,
  daysLeft: null,
  deleteOn: null,
  exportKeptUntil: null,
  previousPlanName: null,
  wantedPlanName: null,
  reason: null,
  suspendReason: null,
  storageUsed: null,
  storageLimit: null,
  graceUntil: null,
  shopUrl: null,
};

const LANGUAGES = ['es_ES', 'en_US'] as const;
/** Why it is suspended, where the mail is about that. */
const reasonsOf = (notice: Notice): SuspendReason[] =>
  notice === 'suspended' || notice === 'reactivated' ? ['unpaid', 'storage', 'staff', 'taken_back'] : ['unpaid'];

/** The HTML as it is read: without tags, on one line. */
const words = ({ html }: Mail) =>
  html
    .replace(/^[\s\S]*<\/title>/, '')
    .replace(/<[^>]*>/g, '')
    .replace(/\s+/g, ' ');

/** What a notice says, in HTML and in text; in the order of LANGUAGES. */
const SAYS: Record<Notice, [subject: string, es: string[], en: string[], subjectInEnglish: string]> = {
  welcome: [
    'Su Odoo está listo: La Espiga',
    ['Gracias por su confianza', 'Cambie la contraseña', 'Pagado hasta el 23 de noviembre de 2026'],
    ['Thank you for your trust', 'Change the password', 'Paid until November 23, 2026'],
    'Your Odoo is ready: La Espiga',
  ],
  reminder: [
    'Su suscripción vence en 3 días: La Espiga',
    [
      'vence en 3 días, el 23 de noviembre de 2026',
      'Renovar por 14,52 €',
      'sus datos hasta el 23 de diciembre de 2026',
    ],
    ['ends in 3 days, on November 23, 2026', 'Renew for 14,52 €', 'your data until December 23, 2026'],
    'Your subscription ends in 3 days: La Espiga',
  ],
  renewed: [
    'Gracias por renovar: La Espiga',
    ['está pagado hasta el 23 de noviembre de 2026', 'El próximo pago vence ese mismo día', 'no tiene que hacer nada'],
    ['is paid until November 23, 2026', 'The next payment is due on that day', 'nothing to do for now'],
    'Thank you for renewing: La Espiga',
  ],
  plan_changed: [
    'Su plan ha cambiado: La Espiga',
    ['pasa del plan «Básico» al plan «Pro»', 'tiene pagado hasta el 23 de noviembre de 2026'],
    ['moves from the plan', 'which is paid until November 23, 2026'],
    'Your plan has changed: La Espiga',
  ],
  plan_refused: [
    'Todavía no podemos cambiar su plan: La Espiga',
    [
      'al plan «Mini». Tiene 5 usuarios y el plan incluye 3.',
      'su plan actual, «Pro», que ahora tiene pagado hasta el 23',
    ],
    ['It has 5 users and the plan includes 3.', 'it extends your present plan', 'is now paid until November 23, 2026'],
    'We cannot change your plan yet: La Espiga',
  ],
  suspended: [
    'Su Odoo está en pausa: La Espiga',
    ['Su suscripción terminó el 23 de noviembre', 'Los guardamos hasta el 23 de diciembre', 'Renovar por 14,52 €'],
    ['Your subscription ended on November 23', 'We keep it until December 23', 'Renew for 14,52 €'],
    'Your Odoo is paused: La Espiga',
  ],
  reactivated: [
    'Su Odoo vuelve a estar activo: La Espiga',
    ['Gracias por renovar.', 'los mismos datos y las mismas contraseñas'],
    ['Thank you for renewing.', 'the same data and the same passwords'],
    'Your Odoo is active again: La Espiga',
  ],
  storage_over: [
    'Su Odoo necesita más espacio: La Espiga',
    ['2,4 GB', '2 GB', 'sigue funcionando como siempre', 'antes del 30 de noviembre de 2026'],
    ['2,4 GB', '2 GB', 'it keeps working as always', 'before November 30, 2026'],
    'Your Odoo needs more space: La Espiga',
  ],
  rebuilt: [
    'Su Odoo vuelve a funcionar: La Espiga',
    ['No se ha perdido nada', 'sus propios datos', 'Lamentamos las molestias'],
    ['Nothing was lost', 'your own data', 'We are sorry for the trouble'],
    'Your Odoo is working again: La Espiga',
  ],
  deletion_warning: [
    'Sus datos se eliminarán en 3 días: La Espiga',
    ['El 23 de diciembre de 2026 eliminaremos su Odoo', 'Aún está a tiempo', 'Renovar por 14,52 €'],
    ['On December 23, 2026 we will delete your Odoo', 'There is still time', 'Renew for 14,52 €'],
    'Your data will be deleted in 3 days: La Espiga',
  ],
  deleted: [
    'Hemos eliminado su Odoo: La Espiga',
    ['El 23 de diciembre de 2026 eliminamos', 'una última copia hasta el 22 de enero de 2027', 'Ver los planes'],
    ['On December 23, 2026 we deleted', 'a final copy until January 22, 2027', 'See the plans'],
    'We have deleted your Odoo: La Espiga',
  ],
};

describe('renderNotice', () => {
  for (const notice of NOTICES) {
    for (const [index, lang] of LANGUAGES.entries()) {
      it(`${notice} in ${lang} says what it is for`, () => {
        const mail = renderNotice(notice, lang, values);
        const [inSpanish, es, en, inEnglish] = SAYS[notice];
        expect(mail.subject).to.equal([inSpanish, inEnglish][index]);
        expect(mail.html).to.match(new RegExp(`^<!doctype html>\n<html lang="${lang.slice(0, 2)}">`));
        for (const said of [es, en][index] ?? []) {
          expect(mail.text).to.contain(said);
          expect(words(mail)).to.contain(said);
        }
        expect(mail.text).to.match(/^(Hola, María José:|Hello María José,)\n\n.*\n\nNube, S\.L\.\n$/s);
      });
    }
  }

  it('is whole with and without what is optional', () => {
    for (const notice of NOTICES) {
      for (const lang of LANGUAGES) {
        for (const suspendReason of reasonsOf(notice)) {
          for (const given of [values, bare, nulls, { ...values, trial: true, payUrl: null }]) {
            const { subject, html, text } = renderNotice(notice, lang, { ...given, suspendReason });
            const where = `${notice} ${lang} ${suspendReason}`;
            expect(subject, where).to.match(/^\S.*: La Espiga$/);
            expect(subject + html + text, where).to.not.match(/\bnull\b|undefined|NaN|\[object|\{\{|\}\}/);
            expect(text, where).to.not.match(/\n{3}| {2}| \.| ,| \n|«»|""/);
            expect(html, where)
              .to.match(/<\/html>\n$/)
              .and.not.match(/href=""|<strong><\/strong>|«»|“”/);
          }
        }
      }
    }
  });

  it('says no word of what it was not given', () => {
    for (const notice of NOTICES) {
      for (const lang of LANGUAGES) {
        const { html, text } = renderNotice(notice, lang, bare);
        expect(html + text).to.not.match(/ 20\d\d|contraseña temporal|temporary password|\/pay|\/shop|€|GB/i);
        expect(text).to.match(/^(Hola:|Hello,)\n/);
      }
    }
  });

  it('shows the password in the welcome, where the caller gives it, and nowhere else', () => {
    for (const notice of NOTICES) {
      const { html, text } = renderNotice(notice, 'es_ES', values);
      expect((html + text).includes('Kx7'), notice).to.equal(notice === 'welcome');
    }
    const { html, text } = renderNotice('welcome', 'es_ES', values);
    expect(html).to.contain('Kx7&lt;&amp;&quot;&#x3D;9');
    expect(text).to.contain('Contraseña temporal: Kx7<&"=9\n').and.contain('Usuario: maria@espiga.example\n');
  });

  it('leads to the Odoo while there is one', () => {
    const without: Notice[] = ['reminder', 'suspended', 'deletion_warning', 'deleted'];
    for (const notice of NOTICES) {
      const { html, text } = renderNotice(notice, 'en_US', values);
      expect(html.includes('href="https://espiga.example.com"'), notice).to.equal(!without.includes(notice));
      expect(text.includes('Address: https://espiga.example.com\n'), notice).to.equal(!without.includes(notice));
    }
    for (const notice of without) {
      expect(renderNotice(notice, 'en_US', { ...values, url: null }).subject).to.contain('La Espiga');
    }
    expect(() => renderNotice('welcome', 'en_US', { ...values, url: null })).to.throw('neither http nor https');
  });

  describe('the days left', () => {
    for (const [daysLeft, es, en] of [
      [30, 'en 30 días', 'in 30 days'],
      [2, 'en 2 días', 'in 2 days'],
      [1, 'mañana', 'tomorrow'],
      [0, 'hoy', 'today'],
      [-2, 'hoy', 'today'],
      [null, 'pronto', 'soon'],
    ] as const) {
      it(`${daysLeft}: ${en}`, () => {
        const subject = (notice: Notice, lang: string) => renderNotice(notice, lang, { ...values, daysLeft }).subject;
        expect(subject('reminder', 'es_ES')).to.equal(`Su suscripción vence ${es}: La Espiga`);
        expect(subject('reminder', 'en_US')).to.equal(`Your subscription ends ${en}: La Espiga`);
        expect(subject('deletion_warning', 'es_ES')).to.equal(`Sus datos se eliminarán ${es}: La Espiga`);
        expect(subject('deletion_warning', 'en_US')).to.equal(`Your data will be deleted ${en}: La Espiga`);
        const { html } = renderNotice('reminder', 'es_ES', { ...values, daysLeft });
        expect(html).to.contain(`>Su suscripción vence ${es}</h1>`);
      });
    }
  });

  describe('paying', () => {
    const link = 'href="https://shop.example.com/pay?a&#x3D;1&amp;b&#x3D;2"';
    const asking: Notice[] = ['reminder', 'suspended', 'deletion_warning'];

    for (const notice of NOTICES) {
      it(`${notice} ${asking.includes(notice) ? 'has' : 'has no'} button`, () => {
        const { html, text } = renderNotice(notice, 'es_ES', values);
        expect(html.includes(link)).to.equal(asking.includes(notice));
        expect(text.includes('Renovar por 14,52 €:\nhttps://shop.example.com/pay?a=1&b=2\n')).to.equal(
          asking.includes(notice),
        );
      });
    }

    it('by a reply where there is no link, and without an amount where it is not known', () => {
      for (const notice of asking) {
        const reply = renderNotice(notice, 'es_ES', { ...values, payUrl: null });
        expect(reply.text).to.contain('\nPara renovar, responda a este correo.\n').and.not.contain('14,52');
        expect(words(reply)).to.contain('Para renovar, responda a este correo.').and.not.contain('14,52');
        const open = renderNotice(notice, 'en_US', { ...values, amount: null });
        expect(open.html).to.contain(link).and.contain('>Renew now</a>');
      }
    });

    it('after a free trial: by choosing a plan', () => {
      const { subject, text } = renderNotice('reminder', 'es_ES', { ...values, trial: true, payUrl: null });
      expect(subject).to.equal('Su prueba gratuita vence en 3 días: La Espiga');
      expect(text).to.contain('le ayudaremos a elegir su plan').and.contain('Prueba gratuita hasta el 23 de noviembre');
      expect(text).to.not.match(/Pagado|suscripción/);
    });
  });

  describe('suspended', () => {
    for (const [suspendReason, es, en, pays] of [
      ['unpaid', 'Su suscripción terminó el 23', 'Your subscription ended on November 23', true],
      ['taken_back', 'se anuló o se devolvió', 'was cancelled or refunded', true],
      ['storage', 'cambie a un plan con más espacio', 'change to a plan with more space', false],
      ['staff', 'póngase en contacto con nosotros', 'please contact us', false],
    ] as const) {
      it(suspendReason, () => {
        for (const [lang, said] of [
          ['es_ES', es],
          ['en_US', en],
        ] as const) {
          const mail = renderNotice('suspended', lang, { ...values, suspendReason });
          expect(mail.text).to.contain(said);
          expect(words(mail)).to.contain(said);
          expect(/shop\.example|14,52|[Rr]enov|[Rr]enew/.test(mail.html + mail.text)).to.equal(pays);
          expect(mail.text.includes('2,4 GB')).to.equal(suspendReason === 'storage');
        }
      });

      it(`${suspendReason}: thanks for a payment only after one`, () => {
        const { html, text } = renderNotice('reactivated', 'es_ES', { ...values, suspendReason });
        expect(/Gracias por renovar|su pago/.test(html + text)).to.equal(suspendReason === 'unpaid');
      });
    }
  });

  it('deleted: says so where no copy is kept', () => {
    const { text } = renderNotice('deleted', 'es_ES', { ...values, exportKeptUntil: null });
    expect(text).to.contain('Ya no guardamos ninguna copia').and.not.contain('última copia');
  });

  for (const [lang, date, button] of [
    ['es_ES', '23 de noviembre de 2026', 'Abrir mi Odoo'],
    ['es_MX', '23 de noviembre de 2026', 'Abrir mi Odoo'],
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

  it('dates are of the calendar of the time zone', () => {
    const { text } = renderNotice('renewed', 'es_MX', { ...values, timeZone: 'America/Mexico_City' });
    expect(text).to.contain('Próximo pago: 22 de noviembre de 2026\n');
  });

  it('a hostile name stays text, on one line, and bounded', () => {
    const name = `<script>alert(1)</script>{{password}}"\r\nBcc: x\u2028\u202e\u0000👩‍👩‍👧‍👦${'W'.repeat(300)}`;
    const all: NoticeValues = {
      ...values,
      contactName: name,
      instanceName: name,
      planName: name,
      companyName: name,
      login: name,
      amount: name,
      previousPlanName: name,
      wantedPlanName: name,
      reason: { es: name, en: name },
      storageUsed: name,
      storageLimit: name,
    };
    for (const notice of NOTICES) {
      for (const suspendReason of reasonsOf(notice)) {
        const { subject, html, text } = renderNotice(notice, 'es_ES', { ...all, suspendReason });
        expect(html, notice)
          .to.not.contain('<script')
          .and.not.match(/W{290}/);
        expect(html).to.contain('&lt;script&gt;alert(1)&lt;/script&gt;{{password}}&quot; Bcc: x 👩‍👩‍👧‍👦W');
        expect(text).to.contain('<script>alert(1)</script>{{password}}" Bcc: x 👩‍👩‍👧‍👦W').and.not.contain('\nBcc');
        expect(subject).to.match(/^[^\p{Cc}\u2028\u202e]{10,140}$/u);
      }
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
    for (const address of ['javascript:alert(1)', 'shop.example.com']) {
      expect(() => renderNotice('reminder', 'es', { ...values, payUrl: address })).to.throw('neither http nor https');
      expect(() => renderNotice('deleted', 'es', { ...values, shopUrl: address })).to.throw('neither http nor https');
    }
  });
});
