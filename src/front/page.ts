/** What a visitor is told where no Odoo answers. Only the instance's own facts are in it, nothing of the request. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Handlebars from 'handlebars';
import type { Paused } from '../instance/types.js';

export type Language = 'es' | 'en';

/** Pages that say nothing of an instance: it does not answer at the moment; there is none with this address. */
export const STILL_PAGES = ['away', 'unknown'] as const;

export interface Page {
  /** HTML that needs nothing but itself: its policy is in it. */
  still(name: (typeof STILL_PAGES)[number], language: Language): string;
  html(paused: Paused, language: Language): string;
  /** For programs: one line. */
  text(paused: Paused, language: Language): string;
  /** Content-Security-Policy of the HTML: its own style and script, and the question whether the service is back. */
  policy: string;
}

const FOLDER = new URL('../../templates/page/', import.meta.url);

/** Reads and compiles the templates once. */
export function loadPage(): Page {
  const style = read('paused.css');
  const script = read('paused.js');
  const engine = Handlebars.create();
  engine.registerPartial('layout', read('layout.html.hbs'));
  const compile = (type: 'html' | 'txt') => {
    const of = (language: Language) =>
      engine.compile(read(`paused.${language}.${type}.hbs`), { strict: true, noEscape: type === 'txt' });
    return { es: of('es'), en: of('en') };
  };
  const html = compile('html');
  const text = compile('txt');
  const context = ({ name, phase, ownerUrl }: Paused, lang: Language) => ({
    ...{ name, ownerUrl, lang, style, script, policy: '' },
    suspended: phase === 'suspended',
  });
  const policyOf = (hasScript: boolean) =>
    [
      "default-src 'none'",
      `style-src '${hashOf(style)}'`,
      ...(hasScript ? [`script-src '${hashOf(script)}'`, "connect-src 'self'"] : []),
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
    ].join('; ');
  return {
    still(name, lang) {
      // What is not there does not come back: no question whether it does.
      const own = name === 'away' ? script : '';
      const render = engine.compile(read(`${name}.${lang}.html.hbs`), { strict: true });
      return render({ name: '', lang, style, script: own, policy: policyOf(own !== '') }).trimStart();
    },
    html: (paused, language) => html[language](context(paused, language)).trimStart(),
    text: (paused, language) => text[language](context(paused, language)),
    policy: `${policyOf(true)}; frame-ancestors 'none'`,
  };
}

function read(file: string): string {
  return readFileSync(new URL(file, FOLDER), 'utf8');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
