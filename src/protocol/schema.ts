/** The protocol as a JSON Schema: what the addon's tests check its answers against, and what a reader may want to see. */
import { z } from 'zod';
import {
  commandRow,
  customerRow,
  helloReply,
  identityReply,
  instanceRow,
  lookReply,
  PROTOCOL,
  planRow,
  pollReply,
  purchaseRow,
  refusalReply,
  renewalReply,
  untoldRow,
} from './poll.js';
import { pushOperation, pushResult } from './push.js';
import { misfit, sentence } from './sentences.js';

type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

const ROWS = {
  plans: z.array(z.union([planRow, untoldRow])),
  purchases: z.array(z.union([purchaseRow, untoldRow])),
  instances: z.array(z.union([instanceRow, untoldRow])),
  commands: z.array(z.union([commandRow, untoldRow])),
};

const METHODS = z.object({
  hello: helloReply,
  poll: pollReply.extend(ROWS),
  look: lookReply.extend(ROWS),
  renewal: renewalReply,
  resume: identityReply,
  refusal: refusalReply,
  push: z.array(pushResult),
  push_operations: z.array(pushOperation),
});

/** As values are on the wire of XML-RPC: an empty one is `false`. */
export function protocolSchema(): Json {
  const named = z.registry<{ id: string }>();
  named.add(customerRow, { id: 'customer' });
  named.add(planRow, { id: 'plan' });
  named.add(purchaseRow, { id: 'purchase' });
  named.add(instanceRow, { id: 'instance' });
  named.add(commandRow, { id: 'command' });
  named.add(untoldRow, { id: 'untold' });
  named.add(pushOperation, { id: 'operation' });
  named.add(sentence, { id: 'message' });
  named.add(misfit, { id: 'misfit' });
  const { $schema, ...schema } = z.toJSONSchema(METHODS, { io: 'input', metadata: named }) as { [name: string]: Json };
  return onTheWire({
    $schema: $schema ?? null,
    title: 'odoo-saas-bridge',
    description: `Protocol ${PROTOCOL}: what the methods of saas.bridge give, and the operations that push takes.`,
    ...schema,
  });
}

const NULL = { const: false };

function onTheWire(node: Json): Json {
  if (Array.isArray(node)) return node.map(onTheWire);
  if (node === null || typeof node !== 'object') return node;
  if (node.type === 'null') return NULL;
  if (Array.isArray(node.type) && node.type.includes('null')) {
    const [type = ''] = node.type.filter((one) => one !== 'null');
    return { anyOf: [onTheWire({ ...node, type }), NULL] };
  }
  return Object.fromEntries(
    Object.entries(node)
      // The range of JavaScript's integers says nothing.
      .filter(([, value]) => typeof value !== 'number' || Math.abs(value) !== Number.MAX_SAFE_INTEGER)
      .map(([name, value]) => [name, onTheWire(value)]),
  );
}
