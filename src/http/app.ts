/** What an admin, an orchestrator and a metrics collector may ask the daemon. Nothing here waits for another system. */
import type { RequestListener } from 'node:http';
import express, { type ErrorRequestHandler } from 'express';
import type { Registry } from 'prom-client';
import { messageOf } from '../lib/errors.js';
import { onPaths } from '../lib/on-paths.js';

export interface Check {
  ok: boolean;
  /** One sentence: what was seen, or what is wrong and what to do. */
  detail: string;
}

export interface AppParts {
  version: string;
  startedAt: Date;
  /** Results of the last checks, by part: master, engine, outbox. */
  readiness(): Record<string, Check>;
  registry: Registry;
}

/** What answers: `/health` (alive), `/ready` (able to work, 503 when not) and `/metrics`. */
export function createApp(parts: AppParts): RequestListener {
  const app = express();
  app.disable('x-powered-by');
  app.get('/health', (_request, response) => {
    const uptimeSeconds = Math.round((Date.now() - parts.startedAt.getTime()) / 1000);
    response.json({ status: 'ok', version: parts.version, uptimeSeconds });
  });
  app.get('/ready', (_request, response) => {
    const checks = parts.readiness();
    const ready = Object.values(checks).every((check) => check.ok);
    response.status(ready ? 200 : 503).json({ ready, checks });
  });
  app.get('/metrics', async (_request, response) => {
    response.type(parts.registry.contentType).send(await parts.registry.metrics());
  });
  app.use((_request, response) => {
    response.status(404).json({ error: 'not found: try /health, /ready or /metrics' });
  });
  app.use(failed);
  return onPaths(app);
}

/** Express tells this handler from others by its four parameters; its own would show a stack trace. */
const failed: ErrorRequestHandler = (error, _request, response, _next) => {
  response.status(500).json({ error: messageOf(error) });
};
