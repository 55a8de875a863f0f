import { z } from 'zod';
import { RetryableError, TerminalError } from '../lib/errors.js';
import type { Bond, Caller, Identity } from '../protocol/bond.js';
import {
  type HelloReply,
  helloReply,
  identityReply,
  lookReply,
  PROTOCOL,
  pollReply,
  type RenewalReply,
  renewalReply,
} from '../protocol/poll.js';
import { type PushOperation, type PushResult, pushResult } from '../protocol/push.js';
import { bonded } from './bonded.js';
import type { OdooClient } from './client.js';
import { type PollBatch, type Rows, readRows } from './rows.js';
import { problemOf } from './text.js';

const MODEL = 'saas.bridge';

/** The master as the daemon sees it: the methods of the addon's `saas.bridge`. */
export interface Master {
  /** Who answers, and what would keep the bridge from working. */
  hello(): Promise<HelloReply>;
  /**
   * What changed since `cursor`; null is from the beginning. Where `more` is true, poll again with the new cursor.
   * @param limit rows of each kind at most.
   */
  poll(cursor: string | null, limit?: number): Promise<PollBatch>;
  /**
   * All that there is of one instance now: its record, what was bought for it, what its customer bought that is for no
   * instance yet, and the commands that wait.
   * @param purchaseKeys those that the daemon takes for its.
   */
  look(instanceKey: string, purchaseKeys: string[]): Promise<Rows>;
  /** Where the customer of an instance renews it with one click; makes the quotation where there is none. */
  renewal(instanceKey: string): Promise<RenewalReply>;
  /**
   * Delivers writes, one result for each in the same order. Only a result `refused` condemns an operation: where this
   * throws, nothing is known of any of them, and all may be sent again with the same keys.
   */
  push(operations: PushOperation[]): Promise<PushResult[]>;
  /** An admin wants daemon and master to go on together, whatever each of them knew. */
  resume(caller: Caller): Promise<Identity>;
  /** The daemon stops: another one need not wait. */
  leave(caller: Caller): Promise<void>;
}

/** All methods throw what the client throws, and `odoo.protocol` where addon and daemon do not fit. */
export function createMaster(client: Pick<OdooClient, 'call'>, bond: Bond | null = null): Master {
  const call = (method: string, args: unknown[]) => client.call(MODEL, method, args);
  const hello = async () => understand('hello', helloReply, await call('hello', []));

  /** As the daemon that serves the master, which may refuse; a command only reads, and says no name. */
  async function ask(method: string, args: unknown[]): Promise<unknown> {
    if (!bond) return call(method, args);
    return (await bonded(bond, bond.caller, (caller) => call(method, [...args, caller]))).reply;
  }

  return {
    hello,

    async poll(cursor, limit = 500) {
      const reply = understand('poll', pollReply, await ask('poll', [cursor, limit]));
      bond?.met(reply);
      return { cursor: reply.cursor, more: reply.more, serverTime: reply.server_time, ...readRows(reply) };
    },

    async look(instanceKey, purchaseKeys) {
      return readRows(understand('look', lookReply, await ask('look', [instanceKey, purchaseKeys])));
    },

    async renewal(instanceKey) {
      return understand('renewal', renewalReply, await call('renewal', [instanceKey]));
    },

    async push(operations) {
      if (operations.length === 0) return [];
      const keys = operations.map(({ key }) => key);
      if (new Set(keys).size !== keys.length) {
        const advice = 'This is a fault of the daemon: please report it.';
        throw new TerminalError('odoo.push_keys', 'two operations of one push have the same key', advice);
      }
      if (!bond) return inOrder(keys, understand('push', z.array(pushResult), await call('push', [operations])));
      if (bond.caller().generation === false) bond.met(await hello());
      const { reply, as } = await bonded(bond, bond.forPush, (caller) => call('push', [operations, caller]));
      const results = inOrder(keys, understand('push', z.array(pushResult), reply));
      bond.answered(Number(as.generation));
      return results;
    },

    async resume(caller) {
      return understand('resume', identityReply, await call('resume', [caller]));
    },

    async leave(caller) {
      await call('leave', [caller]);
    },
  };
}

/** The reply in the shape that the protocol promises. */
function understand<T extends z.ZodType>(method: string, schema: T, reply: unknown): z.output<T> {
  const theirs = z.object({ protocol: z.int() }).safeParse(reply);
  if (theirs.success && theirs.data.protocol !== PROTOCOL) {
    const older = theirs.data.protocol < PROTOCOL ? 'addon in the master' : 'daemon';
    throw new TerminalError(
      'odoo.protocol',
      `the master's addon speaks protocol ${theirs.data.protocol}, this daemon ${PROTOCOL}`,
      `Upgrade the ${older}: it is the older one.`,
    );
  }
  const result = schema.safeParse(reply);
  if (result.success) return result.data;
  throw new TerminalError(
    'odoo.protocol',
    `the reply of ${MODEL}.${method} is not what the protocol says: ${problemOf(result.error)}`,
    'Upgrade the addon in the master and the daemon to versions that belong together.',
  );
}

function inOrder(keys: string[], results: PushResult[]): PushResult[] {
  const byKey = new Map(results.map((result) => [result.key, result]));
  const missing = keys.filter((key) => !byKey.has(key));
  if (results.length !== keys.length || missing.length > 0) {
    const detail = missing.length > 0 ? `none for ${missing.slice(0, 3).join(', ')}` : 'some twice or unasked';
    throw new RetryableError(
      'odoo.push_results',
      `the master gave ${results.length} results for ${keys.length} writes, ${detail}`,
      'The writes are sent again; if it stays, upgrade the addon in the master.',
    );
  }
  return keys.map((key) => byKey.get(key)).filter((result) => result !== undefined);
}
