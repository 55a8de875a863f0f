import type { Server } from 'node:http';
import { messageOf, TerminalError } from '../lib/errors.js';

/** Resolves when it listens. TerminalError `http.unusable` for an address or port that it cannot have. */
export function listen(server: Server, { host, port }: { host: string; port: number }): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const advice =
        'Set SAAS_HTTP_PORT to a port that is free (ss -tlnp lists the others), and SAAS_HTTP_HOST to an address of this host.';
      const message = `the health pages cannot be at ${host}:${port}: ${messageOf(cause)}`;
      reject(new TerminalError('http.unusable', message, advice, { cause }));
    });
    server.listen(port, host, () => resolve(server));
  });
}

/** Closes it and what is connected; one that never listened is closed. */
export async function close(server: Server | null): Promise<void> {
  await new Promise<void>((resolve) => {
    if (!server) return resolve();
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
