/** Addresses, ports and subnets. A message says what would be right, so that it follows "must be". */
import { z } from 'zod';

const A_POOL = 'a private IPv4 range of /8 to /24, such as 10.208.0.0/12';

export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'an address such as https://shop.example.com' })
  .refine((value) => !/[@?#]/.test(value), 'an address without user, password or parameters')
  .transform((value) => value.replace(/\/+$/, ''));

export const hostAddress = z.union([z.ipv4(), z.ipv6()], 'an IP address of this host');

/** Lowest and highest port. */
export const portRange = z
  .string()
  .regex(/^\d{2,5}-\d{2,5}$/, 'two ports, such as 20000-32767')
  .transform((value) => value.split('-').map(Number) as [number, number])
  .refine(([from, to]) => from >= 1024 && to <= 65535 && to - from >= 1, 'two ports from 1024 to 65535, lowest first');

export const subnetPool = z.cidrv4(A_POOL).refine(isPrivatePool, A_POOL);

/**
 * The public address of an instance. A browser sends what it keeps for a host name to every port of it, and a link may name
 * any port: off this machine a host name for each customer and no port is what keeps them apart.
 */
export const instanceUrl = z
  .string()
  .regex(/^https?:\/\/[^\s/?#@]+$/, 'such as https://{name}.example.com')
  .refine(
    (value) => /\{(port|name)\}/.test(value) && hostOf(value, 'a') !== null,
    'an address with {name} in it, or all instances would have the same one',
  )
  .refine((value) => !/[{}]/.test(value.replace(/\{(port|name)\}/g, '')), 'an address with {port} and {name} only')
  .refine(
    (value) =>
      isLoopback(hostOf(value, 'a')) || (hostOf(value, 'a') !== hostOf(value, 'b') && !value.includes('{port}')),
    'an address with {name} in its host and without {port}, such as https://{name}.example.com, behind a reverse proxy: ' +
      'a browser gives the session of one customer to whatever port of the host a link leads to ' +
      '(on this machine alone: http://{name}.localhost:{port})',
  );

/** The host that an instance of this name has; null where that is no address. */
function hostOf(template: string, name: string): string | null {
  const url = template.replaceAll('{name}', name).replaceAll('{port}', '1');
  return URL.canParse(url) ? new URL(url).hostname : null;
}

/** Only this machine itself gets there. */
function isLoopback(host: string | null): boolean {
  return host !== null && /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(host);
}

/** How many instances both have room for: each takes two ports and a /28. */
export function slotsIn([from, to]: [number, number], pool: string): number {
  return Math.min(Math.floor((to - from + 1) / 2), 2 ** (28 - Number(pool.split('/')[1])));
}

/** RFC 1918, or the range for carriers (RFC 6598). */
function isPrivatePool(pool: string): boolean {
  const [address = '', prefix] = pool.split('/');
  const bits = Number(prefix);
  return bits >= widestPrivate(address) && bits <= 24;
}

/** The shortest prefix with which the address is still private; 33 when it is public. */
function widestPrivate(address: string): number {
  const [a, b = 0] = address.split('.').map(Number);
  if (a === 10) return 8;
  if (a === 172 && b >= 16 && b <= 31) return 12;
  if (a === 192 && b === 168) return 16;
  if (a === 100 && b >= 64 && b <= 127) return 10;
  return 33;
}
