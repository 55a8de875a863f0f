/** Settings: the edge, which gives each instance https and a name. */
import { isIP } from 'node:net';
import path from 'node:path';
import { z } from 'zod';
import { text } from './kinds.js';
import { optional, section, setting } from './setting.js';

/** The shop behind the same edge. */
export interface EdgeShop {
  host: string;
  address: string;
  port: number;
  /** Where its websocket is, for an Odoo with workers; else the same port. */
  websocketPort: number;
}

const SHOP =
  /^(?<host>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+)=(?<address>\d{1,3}(?:\.\d{1,3}){3}):(?<port>\d{1,5})(?:,(?<socket>\d{1,5}))?$/;

const shop = z.string().transform((value, context): EdgeShop => {
  const { host = '', address = '', port = '0', socket = port } = SHOP.exec(value)?.groups ?? {};
  const ports = [Number(port), Number(socket)];
  if (host !== '' && ports.every((one) => one > 0 && one < 65_536)) {
    return { host, address, port: Number(port), websocketPort: Number(socket) };
  }
  context.addIssue(
    'a host, the IPv4 address and port of the master, and the port of its websocket where that is another: shop.example.com=127.0.0.1:8069,8072',
  );
  return z.NEVER;
});

const A_SOCKET = 'an IP address and a port, such as 127.0.0.1:443';
const socketAddress = z
  .string()
  .regex(/^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]):\d{1,5}$/, A_SOCKET)
  .transform((value, context) => {
    const at = value.lastIndexOf(':');
    const [address, port] = [value.slice(0, at).replace(/[[\]]/g, ''), Number(value.slice(at + 1))];
    if (isIP(address) !== 0 && port > 0 && port < 65_536) return { address, port };
    context.addIssue(A_SOCKET);
    return z.NEVER;
  });

const addressList = z
  .string()
  .transform((value) => value.split(',').map((address) => address.trim().toLowerCase()))
  .refine(
    (all) => all.length <= 8 && all.every((one) => isIP(one) !== 0),
    'IP addresses, such as 198.51.100.7,2001:db8::7',
  );

const dnsServers = z
  .string()
  .transform((value) => value.split(',').map((server) => server.trim()))
  .refine(
    (all) => all.length <= 4 && all.every((one) => isIP(one) !== 0 || socketAddress.safeParse(one).success),
    'IP addresses of DNS servers, each with a port where that is not 53, such as 9.9.9.9,127.0.0.1:5353',
  );

export const edge = section(
  'Edge',
  {
    SAAS_EDGE_DIR: optional(text(), {
      without: 'instances are reached on their ports',
      doc: 'folder shared with the edge (`compose/edge.sh`), in which the daemon keeps a route for each instance',
    }),
    SAAS_EDGE_SHOP: optional(shop, {
      without: 'the master is reached in another way',
      doc: 'host of the shop, and where the master is, for an edge that serves both: `shop.example.com=127.0.0.1:8069,8072`, the last number being the port of its websocket where it has workers',
    }),
    SAAS_EDGE_ADDRESSES: optional(addressList, {
      without: "what the instances' own names lead to",
      doc: "public addresses of the edge, which customers' own domains must lead to",
    }),
    SAAS_EDGE_SOCKET: setting(socketAddress, {
      default: '127.0.0.1:443',
      doc: "where the daemon reaches the https of the edge, to have it get the certificates of customers' own domains",
    }),
    SAAS_EDGE_ISSUER: setting(text(), {
      default: 'letsencrypt.org',
      doc: "the edge's certificate authority, as CAA records name it",
    }),
    SAAS_DNS_SERVERS: optional(dnsServers, {
      without: 'those of this host',
      doc: "DNS servers that are asked about customers' own domains; best are ones that keep no answers for long",
    }),
  },
  (c) => ({
    edge: {
      dir: c.SAAS_EDGE_DIR === null ? null : path.resolve(c.SAAS_EDGE_DIR),
      shop: c.SAAS_EDGE_SHOP,
      /** What customers' own names must lead to; null: what the names of the instances lead to. */
      addresses: c.SAAS_EDGE_ADDRESSES,
      /** Where the daemon itself reaches its https. */
      socket: c.SAAS_EDGE_SOCKET,
      issuer: c.SAAS_EDGE_ISSUER.toLowerCase(),
      /** Null: those of this host. */
      dnsServers: c.SAAS_DNS_SERVERS,
    },
  }),
);

/** What does not fit together with an edge; each as a sentence that begins with the name of its setting. */
export function misfitsOfEdge(values: {
  SAAS_EDGE_DIR: string | null;
  SAAS_EDGE_SHOP: EdgeShop | null;
  SAAS_INSTANCE_URL: string;
  SAAS_PROXY_MODE: boolean;
}): string[] {
  if (values.SAAS_EDGE_DIR === null) {
    return values.SAAS_EDGE_SHOP === null ? [] : ['SAAS_EDGE_SHOP: needs SAAS_EDGE_DIR, the folder of the edge'];
  }
  return [
    ...(/^https:\/\/[^:]+$/.test(values.SAAS_INSTANCE_URL)
      ? []
      : [
          'SAAS_INSTANCE_URL: must be an https address without a port behind an edge, such as https://{name}.example.com',
        ]),
    ...(values.SAAS_PROXY_MODE
      ? []
      : ['SAAS_PROXY_MODE: must be yes behind an edge, or every visitor has its address']),
  ];
}
