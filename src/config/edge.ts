/** Settings: the edge, which gives each instance https and a name. */
import path from 'node:path';
import { text } from './kinds.js';
import { optional, section } from './setting.js';

export const edge = section(
  'Edge',
  {
    SAAS_EDGE_DIR: optional(text(), {
      without: 'instances are reached on their ports',
      doc: 'folder shared with the edge (`compose/edge.sh`), in which the daemon keeps a route for each instance',
    }),
  },
  (c) => ({ edge: { dir: c.SAAS_EDGE_DIR === null ? null : path.resolve(c.SAAS_EDGE_DIR) } }),
);

/** What does not fit together with an edge; each as a sentence that begins with the name of its setting. */
export function misfitsOfEdge(values: {
  SAAS_EDGE_DIR: string | null;
  SAAS_INSTANCE_URL: string;
  SAAS_PROXY_MODE: boolean;
}): string[] {
  if (values.SAAS_EDGE_DIR === null) return [];
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
