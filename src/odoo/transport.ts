import http from 'node:http';
import https from 'node:https';
import { garbageError, networkError, pageError, statusError, tooLargeError } from './network-errors.js';

export interface Transport {
  /**
   * Posts one XML document and returns the XML that answers it.
   * @throws RetryableError for anything else; the reason of `signal` when it is aborted, the socket then destroyed.
   */
  post(path: string, xml: string, signal: AbortSignal): Promise<string>;
  /** Closes the connections, in use or idle. */
  close(): void;
}

/**
 * HTTP to the master: `odoo-xmlrpc` brings its own without time-out, limit, agent or path, so it is not used.
 * Connections are kept alive. `maxReplyBytes` bounds what a reply may hold in memory.
 */
export function createTransport(options: { url: URL; maxConcurrent: number; maxReplyBytes: number }): Transport {
  const { url, maxReplyBytes } = options;
  const module = url.protocol === 'https:' ? https : http;
  const agent = new module.Agent({ keepAlive: true, maxSockets: options.maxConcurrent });

  function attempt(path: string, xml: string, signal: AbortSignal, mayRepeat: boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      const target = new URL(url.pathname.replace(/\/+$/, '') + path, url);
      const headers = { 'Content-Type': 'text/xml; charset=utf-8', 'Content-Length': Buffer.byteLength(xml) };
      const request = module.request(target, { method: 'POST', agent, signal, headers }, (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          chunks.push(chunk);
          if (size > maxReplyBytes) request.destroy(tooLargeError(url, maxReplyBytes));
        });
        response.on('error', fail);
        response.on('end', () => {
          const body = Buffer.concat(chunks).toString('utf8');
          const status = response.statusCode ?? 0;
          const type = response.headers['content-type'] ?? '';
          if (status >= 300) reject(statusError(url, status, response.headers.location, body));
          else if (/<methodResponse[\s>]/.test(body.slice(0, 1000))) resolve(body);
          else reject(/html/i.test(type) || /<html/i.test(body) ? pageError(url, body) : garbageError(url, body));
        });
      });
      function fail(error: Error): void {
        // The server closed the idle connection just as it was taken again. A call may be repeated: see client.ts.
        const stale = mayRepeat && request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
        if (signal.aborted) reject(signal.reason);
        else if (stale) attempt(path, xml, signal, false).then(resolve, reject);
        else reject(networkError(url, error));
      }
      request.on('error', fail);
      request.end(xml);
    });
  }

  return {
    post: (path, xml, signal) => attempt(path, xml, signal, true),
    close: () => agent.destroy(),
  };
}
