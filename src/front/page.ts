/** What a visitor of an instance that is down is told. Only the instance's own facts are in it, nothing of the request. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Handlebars from 'handlebars';
import type { Paused } from '../instance/types.js';

export type Language = 'es' | 'en';

export interface Page {
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
    ...{ name, ownerUrl, lang, style, script },
    suspended: phase === 'suspended',
  });
  return {
    html: (paused, language) => html[language](context(paused, language)).trimStart(),
    text: (paused, language) => text[language](context(paused, language)),
    policy: [
      "default-src 'none'",
      `style-src '${hashOf(style)}'`,
      `script-src '${hashOf(script)}'`,
      "connect-src 'self'",
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
  };
}

function read(file: string): string {
  return readFileSync(new URL(file, FOLDER), 'utf8');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
