/** Calls of the daemon that serves the master: each names the caller, and the master may refuse it. */
import { RetryableError } from '../lib/errors.js';
import type { Bond, Caller } from '../protocol/bond.js';
import { type Refusal, refusalReply } from '../protocol/poll.js';

/** Polls and pushes run side by side: each may overtake another once. */
const MOST_TRIES = 3;

type Call = (caller: Caller) => Promise<unknown>;

/** @throws RetryableError `master.other_database`, `master.gone_back`, `master.leased`, `master.copied`, `store.behind`. */
export async function bonded(bond: Bond, caller: () => Caller, call: Call): Promise<{ reply: unknown; as: Caller }> {
  for (let tries = 1; ; tries++) {
    const as = caller();
    const reply = await call(as);
    const refusal = refusalReply.safeParse(reply);
    if (!refusal.success) return { reply, as };
    // A push of ours went ahead of this call: the master knows nothing that we do not know.
    const known = bond.caller().generation;
    const isOvertaken = refusal.data.refused === 'daemon_behind' && known !== false && refusal.data.generation <= known;
    if (isOvertaken && tries < MOST_TRIES) continue;
    const error = refused(refusal.data, as);
    if (!isOvertaken) bond.refused(refusal.data.refused, error.message);
    throw error;
  }
}

function refused({ refused: code, generation, database_uuid, host, heard_on }: Refusal, as: Caller): RetryableError {
  switch (code) {
    case 'other_database':
      return new RetryableError(
        'master.other_database',
        `the master is another database (${database_uuid}) than the one that this daemon serves (${as.database})`,
        'Correct SAAS_ODOO_URL or SAAS_ODOO_DB. If it is a copy that takes its place: saas-bridge reconcile-master.',
      );
    case 'gone_back':
      return new RetryableError(
        'master.gone_back',
        `the master has gone back in time: it knows ${generation} of ${as.answered} pushes, as after a restore`,
        'Customers are served on; nobody is suspended, deleted or given an instance. Run saas-bridge reconcile-master.',
      );
    case 'leased': {
      const since = heard_on ? `, last heard of at ${heard_on.toISOString()}` : '';
      return new RetryableError(
        'master.leased',
        `another daemon (on ${host || 'an unknown host'}${since}) serves this master`,
        'Stop one of the two. This one takes over when the other was not heard of for 3 minutes.',
      );
    }
    case 'copied':
      return new RetryableError(
        'master.copied',
        `a copy of this data folder serves the master since this daemon began (on ${host || 'an unknown host'})`,
        'Stop the one that is not meant to run, then restart this one. A copy to try things out needs no owner.id.',
      );
    case 'daemon_behind':
      return new RetryableError(
        'store.behind',
        `the master knows ${generation} pushes and this store only ${as.generation}: it is an older one`,
        'Nothing to do: it is set aside, and built anew from the master and the engine.',
      );
  }
}
