/** Settings: the edge, which gives each instance https and a name. */
import path from 'node:path';
import { z } from 'zod';
import { text } from './kinds.js';
import { optional, section } from './setting.js';

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
  },
  (c) => ({
    edge: { dir: c.SAAS_EDGE_DIR === null ? null : path.resolve(c.SAAS_EDGE_DIR), shop: c.SAAS_EDGE_SHOP },
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
