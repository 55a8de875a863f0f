/** What can go wrong on the way to the master and back, as errors for people. See faults.ts for the rule. */
import { BridgeError, RetryableError, TerminalError } from '../lib/errors.js';
import { excerpt } from './text.js';

const TLS = /^(ERR_TLS|ERR_SSL|CERT_|EPROTO|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER))/;

/** The address as the admin wrote it. */
function place(url: URL): string {
  return url.origin + url.pathname.replace(/\/+$/, '');
}

export function networkError(url: URL, error: Error): BridgeError {
  if (error instanceof BridgeError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const retryable = (kind: string, message: string, advice: string) =>
    new RetryableError(`odoo.${kind}`, `${message} (${code || excerpt(error.message)})`, advice, { cause: error });

  if (code === 'ECONNREFUSED') {
    return retryable(
      'unreachable',
      `Odoo at ${place(url)} refused the connection`,
      'Check that Odoo runs and that this is its address and port.',
    );
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return retryable(
      'dns',
      `no address is known for the host ${url.hostname}`,
      'Check the name in the URL of the master, and the DNS of this machine.',
    );
  }
  if (TLS.test(code)) {
    return retryable(
      'tls',
      `no secure connection to ${place(url)}: ${excerpt(error.message, 120)}`,
      'Check the certificate of the master and whether its URL should be http or https; an own authority is named with NODE_EXTRA_CA_CERTS.',
    );
  }
  if (code.startsWith('HPE_')) {
    return retryable(
      'not_http',
      `what answers at ${place(url)} does not speak HTTP`,
      'Check the port in the URL of the master, and whether it should be https.',
    );
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') return cutError(url, error);
  return retryable(
    'unreachable',
    `Odoo at ${place(url)} cannot be reached`,
    'Check the network between this machine and the master.',
  );
}

/** The reply ended in the middle. */
export function cutError(url: URL, cause?: Error): RetryableError {
  return new RetryableError(
    'odoo.cut',
    `the connection to ${place(url)} was cut before the reply was complete`,
    'Odoo or a proxy restarted, or ran out of memory or time: see their logs if it happens again.',
    { cause },
  );
}

export function badUrlError(): TerminalError {
  return new TerminalError(
    'odoo.bad_url',
    'the URL of the master is not an http or https address without user and password',
    'Write it as https://shop.example.com in the settings.',
  );
}

export function deadlineError(url: URL, timeoutMs: number): RetryableError {
  return new RetryableError(
    'odoo.timeout',
    `Odoo at ${place(url)} did not answer completely within ${timeoutMs / 1000} s`,
    'Odoo is overloaded or hangs: see its log; more time is given by the time-out in the settings.',
  );
}

export function tooLargeError(url: URL, maxBytes: number): RetryableError {
  return new RetryableError(
    'odoo.too_large',
    `the reply of ${place(url)} is larger than ${Math.round(maxBytes / 2 ** 20)} MiB and was not read`,
    'Is this the address of the master? A reply of its addon is much smaller.',
  );
}

export function statusError(url: URL, status: number, location: string | undefined, body: string): RetryableError {
  const text = titleOf(body);
  const said = text ? `: "${text}"` : '';
  if (status < 400) {
    const to = location ? ` to ${excerpt(location, 100)}` : '';
    return new RetryableError(
      'odoo.redirect',
      `${place(url)} redirects${to} (HTTP ${status})`,
      'Give the final address as URL of the master, often https instead of http.',
    );
  }
  if (status === 404) {
    return new RetryableError(
      'odoo.not_odoo',
      `${place(url)} answers, but has no XML-RPC there (HTTP 404${said})`,
      'Check the URL of the master and that the proxy before it passes /xmlrpc/2/ to Odoo.',
    );
  }
  const advice =
    status >= 500
      ? 'The proxy or Odoo itself is in trouble: see the log of Odoo and of the proxy before it.'
      : 'The proxy before Odoo refuses the daemon: let it pass /xmlrpc/2/ from this machine.';
  return new RetryableError('odoo.http_status', `${place(url)} answered HTTP ${status}${said}`, advice);
}

export function pageError(url: URL, body: string): RetryableError {
  const title = titleOf(body);
  return new RetryableError(
    'odoo.not_odoo',
    `${place(url)} answered with a web page${title ? ` ("${title}")` : ''} where XML-RPC was expected`,
    'A login page, a proxy or another site answers: check the URL of the master and that the proxy passes /xmlrpc/2/ to Odoo.',
  );
}

export function garbageError(url: URL, detail: string): RetryableError {
  return new RetryableError(
    'odoo.garbage',
    `what ${place(url)} answered is not XML-RPC: ${excerpt(detail, 80) || 'nothing at all'}`,
    'Check the URL of the master, and the log of Odoo and of the proxy before it.',
  );
}

function titleOf(html: string): string {
  return excerpt(/<title[^>]*>([^<]{0,200})/i.exec(html)?.[1] ?? '', 80);
}
