/** A GET that the library has no method for, or none that can be ended. */

/** What we use of docker-modem. */
interface Modem {
  dial(request: object, done: (error: unknown, reply: unknown) => void): void;
}

/** @param path with its query, such as `/images/postgres:17/json`. */
export function get<T>(modem: Modem, path: string, abortSignal: AbortSignal): Promise<T> {
  const statusCodes = { 200: true, 404: 'no such object', 500: 'server error' };
  return new Promise((resolve, reject) => {
    modem.dial({ path, method: 'GET', abortSignal, statusCodes }, (error, reply) =>
      error ? reject(error) : resolve(reply as T),
    );
  });
}
