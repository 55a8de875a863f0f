/** Answers in place of an Odoo that is down: a page for people, one line for programs, always 503. */
import type { RequestListener } from 'node:http';
import express, { type ErrorRequestHandler, type Request } from 'express';
import type { Paused } from '../instance/types.js';
import { onPaths } from '../lib/on-paths.js';
import { type Language, loadPage } from './page.js';
import { againAt, isVisit } from './waking.js';

const RETRY_AFTER_SECONDS = 60;

/**
 * @param pausedAt the instance that has this port of ours; null where it is not down (any more).
 * @param wakeAt wakes the one that sleeps on this port; gives whether it is there in time.
 */
export function createPausedApp(
  pausedAt: (port: number) => Paused | null,
  wakeAt: (port: number) => Promise<boolean> = async () => false,
): RequestListener {
  const page = loadPage();
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(async (request, response) => {
    // Whoever sends much is listened to: a connection that is cut off tells nothing.
    request.resume();
    response.status(503).set({
      'Retry-After': String(RETRY_AFTER_SECONDS),
      'Cache-Control': 'no-store',
      // The next request is to reach Odoo, as soon as it is there.
      Connection: 'close',
      // Addresses of an Odoo may hold tokens.
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    });
    const port = request.socket.localPort ?? 0;
    const paused = pausedAt(port);
    if (paused?.phase === 'asleep' && isVisit(request.path) && (await wakeAt(port))) {
      // What was posted is sent again.
      response.removeHeader('Retry-After');
      response.status(307).set('Location', againAt(request.originalUrl)).end();
      return;
    }
    if (!paused) {
      response.type('text').send('Service unavailable\n');
      return;
    }
    const language = languageFor(request, paused.lang);
    response.vary('Accept, Accept-Language').set('Content-Language', language);
    // Text first: it is for whoever does not say what they want, as XML-RPC clients do. An open Odoo page takes it for a
    // lost connection and goes on when Odoo is back; JSON it would take for the answer.
    switch (request.accepts(['text', 'html', 'json'])) {
      case 'html':
        if (paused.phase === 'asleep') response.type('html').send(page.still('away', language));
        else response.set('Content-Security-Policy', page.policy).type('html').send(page.html(paused, language));
        return;
      case 'json':
        response.json({ error: `service_${paused.phase}`, message: page.text(paused, language).trim() });
        return;
      default:
        response.type('text').send(page.text(paused, language));
    }
  });
  app.use(failed);
  return onPaths(app);
}

/** What the visitor reads; else, where that is neither of ours, what the customer does. */
function languageFor(request: Request, lang: string): Language {
  const own: Language = lang.startsWith('es') ? 'es' : 'en';
  const wanted = request.acceptsLanguages([own, own === 'es' ? 'en' : 'es']);
  return wanted === 'es' || wanted === 'en' ? wanted : own;
}

/** Express tells this handler from others by its four parameters; its own would show a stack trace. */
const failed: ErrorRequestHandler = (_error, _request, response, _next) => {
  response.type('text').send('Service unavailable\n');
};
