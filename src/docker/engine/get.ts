/** Requests that the library has no method for, or none that can be ended. */

import type { IncomingMessage } from 'node:http';

/** What we use of docker-modem. */
interface Modem {
  dial(request: object, done: (error: unknown, reply: unknown) => void): void;
}

/** @param path without a query, such as `/images/postgres:17/json`. */
export function get<T>(modem: Modem, path: string, abortSignal: AbortSignal, query: object = {}): Promise<T> {
  const statusCodes = { 200: true, 404: 'no such object', 500: 'server error' };
  return new Promise((resolve, reject) => {
    modem.dial({ ...asked(path, query), method: 'GET', abortSignal, statusCodes }, (error, reply) =>
      error ? reject(error) : resolve(reply as T),
    );
  });
}

/** The library writes a query itself, where the path ends with a question mark, and cuts the end off another one. */
function asked(path: string, query: object) {
  return Object.keys(query).length === 0 ? { path } : { path: `${path}?`, options: query };
}

/** When a file of a container was last changed; null where there is none, or no such container. */
export function changedAt(modem: Modem, id: string, file: string, abortSignal: AbortSignal): Promise<Date | null> {
  const how = {
    method: 'HEAD',
    isStream: true,
    abortSignal,
    statusCodes: { 200: true, 404: true, 500: 'server error' },
  };
  const asking = { ...asked(`/containers/${id}/archive`, { path: file }), ...how };
  return new Promise((resolve, reject) => {
    modem.dial(asking, (error, reply) => {
      if (error) return reject(error);
      const { statusCode, headers, resume } = reply as IncomingMessage;
      resume.call(reply);
      resolve(statusCode === 200 ? changeIn(String(headers['x-docker-container-path-stat'] ?? '')) : null);
    });
  });
}

/** @param stat JSON in base64. */
function changeIn(stat: string): Date | null {
  const { mtime } = JSON.parse(Buffer.from(stat, 'base64').toString() || '{}') as { mtime?: string };
  const date = new Date(mtime ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? null : date;
}
