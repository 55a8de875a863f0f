/** The daemon's side of the bond with its master, among the single values of the store. */
import { RetryableError, stoppedError } from '../lib/errors.js';
import type { Bond, Caller, RefusalCode } from '../protocol/bond.js';
import type { MetaTable } from './meta.js';

const DATABASE = 'master_database';
const GENERATION = 'generation';
const ANSWERED = 'generation_answered';

export interface StoredBond extends Bond {
  /** Why the master refuses, one sentence; null while it does not. */
  refusal(): string | null;
  /** Throws where another daemon works on the same, or with a newer store: nothing is to be done on the engine. */
  assertMayWork(): void;
  /** An admin has seen to it that both go on together from here. */
  renew(database: string, generation: number): void;
  /** Calls `listener` at the first refusal of each kind, until the master takes part again. */
  onRefused(listener: (code: RefusalCode, sentence: string) => void): void;
}

/** @param self how the daemon names itself. */
export function storedBond(meta: MetaTable, self: Pick<Caller, 'daemon' | 'host' | 'run'>): StoredBond {
  let refusal: { code: RefusalCode; sentence: string } | null = null;
  let told: (code: RefusalCode, sentence: string) => void = () => undefined;
  const generation = () => numberOf(meta.get(GENERATION));

  function caller(): Caller {
    const answered = numberOf(meta.get(ANSWERED)) ?? 0;
    return { ...self, database: meta.get(DATABASE) ?? false, generation: generation() ?? false, answered };
  }

  function renew(database: string, at: number): void {
    meta.set(DATABASE, database === '' ? null : database);
    meta.set(GENERATION, String(at));
    meta.set(ANSWERED, String(at));
  }

  return {
    caller,
    forPush() {
      const known = generation();
      if (known === null) throw new Error('the master was not met yet');
      meta.set(GENERATION, String(known + 1));
      return caller();
    },
    answered(at) {
      if (at > (numberOf(meta.get(ANSWERED)) ?? 0)) meta.set(ANSWERED, String(at));
    },
    met({ database_uuid: database, generation: at }) {
      refusal = null;
      if (generation() === null) renew(database, at);
      else if (meta.get(DATABASE) === null && database !== '') meta.set(DATABASE, database);
    },
    refused(code, sentence) {
      const isNew = refusal?.code !== code;
      refusal = { code, sentence };
      if (isNew) told(code, sentence);
    },
    refusal: () => refusal?.sentence ?? null,
    assertMayWork() {
      if (refusal?.code === 'daemon_behind') throw stoppedError();
      if (refusal?.code !== 'copied') return;
      const advice = 'Stop the one that is not meant to run, then restart this one.';
      throw new RetryableError('master.copied', refusal.sentence, advice);
    },
    renew,
    onRefused(listener) {
      told = listener;
    },
  };
}

function numberOf(text: string | null): number | null {
  return text === null ? null : Number(text);
}
