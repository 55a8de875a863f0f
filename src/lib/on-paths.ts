/** Express answers by itself, and with words of the request, where a request names no path. Then it is asked for the root. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

export function onPaths(app: (request: IncomingMessage, response: ServerResponse) => void): RequestListener {
  return (request, response) => {
    if (!request.url?.startsWith('/')) request.url = '/';
    app(request, response);
  };
}
