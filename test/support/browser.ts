/**
 * A real Chromium, as people have it: two languages, a computer and a phone. Every page that a test looks at is checked for
 * accessibility and for errors on the console, and is kept as a picture when SCREENS names a folder.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BrowserContext, Page } from 'playwright-core';
import type { Mail } from '../../compose/demo/master.js';
import { findingsOn } from './axe.js';
import { type Special, theBrowser } from './chromium.js';

/** How somebody looks at a page. */
export interface Look {
  language: 'es' | 'en';
  /** Odoo's name of the language. */
  lang: 'es_ES' | 'en_US';
  device: 'computer' | 'phone';
  width: 1280 | 390;
  /** `es-1280` */
  name: string;
}

const ALL_LOOKS = (['es', 'en'] as const).flatMap((language) =>
  ([1280, 390] as const).map((width): Look => {
    const device = width === 390 ? 'phone' : 'computer';
    return { language, lang: language === 'es' ? 'es_ES' : 'en_US', device, width, name: `${language}-${width}` };
  }),
);
/** Each language and each width once. */
const USUAL_LOOKS = ['es-390', 'en-1280'];
const SCREENS = process.env.SCREENS;
const wanted = process.env.TEST_LOOKS?.split(',') ?? (SCREENS ? null : USUAL_LOOKS);
/** All four of them for pictures; TEST_LOOKS=es-390 is for whoever works on a page. */
export const LOOKS: readonly Look[] = ALL_LOOKS.filter(({ name }) => wanted?.includes(name) ?? true);

/** Longest wait for anything on a page; a page that has to compile its styles first takes some seconds. */
const PAGE_TIMEOUT_MS = 60_000;
/** Chromium's pictures end somewhere below 16384 pixels. */
const MAX_HEIGHT = 8000;
/** The master, and the customers' own Odoos: on another name, for a browser keeps one session a name. */
const OURS = /^(127\.0\.0\.1|(.+\.)?(localhost|(?:clientes|panes-carmen)\.test))$/;

/** What Odoo's own scripts say. Debian leaves a part of its video calls out. */
const ODOO_SAYS = /selfie_segmentation/;

/** Somebody with a browser of their own: cookies, language, screen. */
export class Onlooker {
  readonly #complaints: string[] = [];
  /** What Odoo's scripts asked for and was refused; the console says RPC_ERROR only. */
  readonly #refusals: string[] = [];

  private constructor(
    readonly look: Look,
    readonly context: BrowserContext,
    readonly page: Page,
  ) {
    context.on('console', (message) => {
      if (message.type() === 'error' && !ODOO_SAYS.test(message.text()))
        this.#complaints.push(`${message.location().url}: ${message.text()}`);
    });
    context.on('response', async (response) => {
      if (!response.headers()['content-type']?.startsWith('application/json')) return;
      const refusal = /"error": ?\{.{0,6000}/s.exec(await response.text().catch(() => ''));
      if (refusal) this.#refusals.push(`${response.url()}: ${refusal[0]}`);
    });
    context.on('weberror', (error) => this.#complaints.push(String(error.error().stack ?? error.error())));
  }

  /** @param base the address that paths are relative to. */
  static async open(base: string, look: Look, special?: Special): Promise<Onlooker> {
    const browser = await theBrowser(special);
    const phone = look.device === 'phone';
    const context = await browser.newContext({
      baseURL: base,
      locale: look.language === 'es' ? 'es-ES' : 'en-US',
      timezoneId: 'Europe/Madrid',
      viewport: { width: look.width, height: phone ? 844 : 900 },
      isMobile: phone,
      hasTouch: phone,
      reducedMotion: 'reduce',
    });
    context.setDefaultTimeout(PAGE_TIMEOUT_MS);
    // Only what these tests made is asked: Odoo's theme loads fonts from the internet.
    await context.route(
      ({ hostname }) => !OURS.test(hostname),
      (route) => route.fulfill({ status: 200, body: '' }),
    );
    return new Onlooker(look, context, await context.newPage());
  }

  /** The text in the language of this person. */
  say(es: string, en: string): string {
    return this.look.language === 'es' ? es : en;
  }

  async goto(where: string): Promise<void> {
    await this.page.goto(where, { waitUntil: 'load' });
  }

  /** Looks at the page: takes a picture of it, and notes what a person who cannot see it as others do would miss. */
  async see(name: string, page: Page = this.page): Promise<void> {
    await this.keep(name, page);
    this.#complaints.push(...(await findingsOn(page)).map((finding) => `${name}: ${finding}`));
  }

  /** Keeps a picture of a page that is not ours. */
  async keep(name: string, page: Page = this.page): Promise<void> {
    await settled(page);
    if (SCREENS) await picture(page, path.join(SCREENS, this.look.name, `${name}.png`));
  }

  /** Looks at a mail as a mail program shows it. */
  async seeMail(name: string, { html }: Pick<Mail, 'html'>): Promise<void> {
    const page = await this.context.newPage();
    await page.setContent(html);
    await this.see(name, page);
    await page.close();
  }

  /**
   * Errors on the console and serious findings of axe since the last time, but for those that belong there.
   * @throws Error with all of them.
   */
  assertQuiet(expected?: RegExp): void {
    const heard = this.#complaints.splice(0).filter((complaint) => !expected?.test(complaint));
    const refused = this.#refusals.splice(0).map((refusal) => `refused: ${refusal}`);
    if (heard.length > 0)
      throw new Error(`${heard.length} complaints (${this.look.name}):\n${[...heard, ...refused].join('\n')}`);
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}

/** Waits until the page loads nothing more and stands still. */
async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle', { timeout: 5000 }).catch(() => undefined);
  await page.evaluate('document.fonts.ready.then(() => null)');
}

/** How high the page is, also where it scrolls in a box of its own as Odoo's do; pixels. */
const FULL_HEIGHT = `(() => {
  const hidden = [...document.querySelectorAll('body, body *')]
    .filter((box) => /auto|scroll/.test(getComputedStyle(box).overflowY))
    .map((box) => box.scrollHeight - box.clientHeight);
  return Math.max(document.documentElement.scrollHeight, innerHeight + Math.max(0, ...hidden));
})()`;

async function picture(page: Page, file: string): Promise<void> {
  mkdirSync(path.dirname(file), { recursive: true });
  const viewport = page.viewportSize();
  if (!viewport) throw new Error('the page has no size');
  const height = Math.min(await page.evaluate<number>(FULL_HEIGHT), MAX_HEIGHT);
  if (height > viewport.height) await page.setViewportSize({ ...viewport, height });
  await sleep(200);
  await page.screenshot({ path: file });
  await page.setViewportSize(viewport);
}
