/** `saas-bridge dead-letters`: what did not arrive or gave up, why, and what an admin may do about it beside the daemon. */
import type { Config } from '../config/config.js';
import { TerminalError } from '../lib/errors.js';
import { subjectOf } from '../owed/subject-of.js';
import type { Letter } from '../store/letters.js';
import type { Store } from '../store/store.js';
import { inStore } from './in-store.js';
import { moment, type Out, table } from './output.js';

/** One line of the list. Times are ISO text in JSON. */
export interface Listed {
  /** Of a write its number, of an instance its name. */
  id: string;
  /** `refused`: not sent again by itself. `failing`: tried again. `gave up`: an instance that needs a person. */
  state: 'refused' | 'failing' | 'gave up';
  since: Date;
  what: string;
  instance: string | null;
  /** Whom it concerns: a customer, with the address of a mail. */
  customer: string | null;
  reason: string;
  nextTryAt: Date | null;
}

const ADVICE = 'saas-bridge dead-letters lists the ids.';
const NOTHING = 'Nothing: the master took every write, and no instance has given up.';

/** Prints all of them, the oldest first. */
export function listDeadLetters(config: Config, out: Out, asJson: boolean): void {
  const letters = inStore(config, 'readonly', listed);
  if (asJson) out.write(`${JSON.stringify({ letters })}\n`);
  else out.write(`${letters.length === 0 ? NOTHING : inWords(letters, config)}\n`);
}

/**
 * Has it tried at once.
 * @param id null for all of them.
 * @throws TerminalError `letter.unknown`.
 */
export function retryDeadLetters(config: Config, id: string | null, out: Out, asJson: boolean): void {
  inStore(config, 'beside', (store) => {
    const retried = (id === null ? listed(store).map((one) => one.id) : [id]).map((one) => ({
      id: one,
      result: isNumber(one) ? store.letters.retry(Number(one)) : retryInstance(store, one),
    }));
    const [unknown] = retried.filter(({ result }) => result === 'unknown');
    if (unknown && id !== null) throw unknownLetter(unknown.id);
    if (asJson) out.write(`${JSON.stringify({ retried })}\n`);
    else if (retried.length === 0) out.write(`${NOTHING}\n`);
    for (const one of asJson ? [] : retried) out.write(`${one.id}: ${SAID[one.result]}\n`);
  });
}

const SAID = {
  queued: 'is tried at once, or when the daemon runs again.',
  superseded: 'a newer write of the same is owed; this one is gone.',
  unknown: 'was gone meanwhile.',
};

/** @throws TerminalError `letter.unknown`, `letter.owed`. */
export function dropDeadLetter(config: Config, id: string, out: Out, asJson: boolean): void {
  inStore(config, 'beside', (store) => {
    if (!isNumber(id) && store.instances.byName(id)) {
      const advice = `Correct what it says and run: saas-bridge dead-letters retry ${id}. Its record has buttons to stop and delete it.`;
      throw new TerminalError(
        'letter.owed',
        `${id} is an instance: what must be done for it cannot be dropped`,
        advice,
      );
    }
    const dropped = isNumber(id) ? store.letters.drop(Number(id)) : 'unknown';
    if (dropped === 'unknown') throw unknownLetter(id);
    if (dropped === 'owed') {
      const advice = 'Correct in the master what it says; the record is sent again by itself.';
      throw new TerminalError('letter.owed', `${id} is the record of an instance, which stays owed`, advice);
    }
    out.write(asJson ? `${JSON.stringify({ dropped: id })}\n` : `${id}: is gone.\n`);
  });
}

/** The oldest first. */
export function listed(store: Store): Listed[] {
  const letters = store.letters.all().map((letter): Listed => ({ ...partiesOf(store, letter), ...writeOf(letter) }));
  return [...letters, ...gaveUp(store)].sort((a, b) => a.since.getTime() - b.since.getTime());
}

function writeOf({ id, state, operation, reason, createdAt, nextTryAt }: Letter) {
  return { id: String(id), state, since: createdAt, what: subjectOf(operation), reason, nextTryAt };
}

function partiesOf({ instances }: Store, { lane, operation }: Letter): Pick<Listed, 'instance' | 'customer'> {
  const instance = instances.get(lane) ?? instances.get(('instance_key' in operation && operation.instance_key) || '');
  const to = operation.op === 'notice' ? operation.to : (instance?.customer.email ?? '');
  const customer = [instance?.customer.name, to && `<${to}>`].filter((word) => word).join(' ');
  return { instance: instance?.name ?? null, customer: customer || null };
}

/** Instances that need a person. They are looked at again each hour. */
function gaveUp(store: Store): Listed[] {
  return store.jobs.failing().flatMap(({ instanceKey, failingSince, nextTryAt }): Listed[] => {
    const instance = store.instances.get(instanceKey);
    if (instance?.phase !== 'error') return [];
    const { name, customer, errorMessage } = instance;
    const who = customer.email ? `${customer.name} <${customer.email}>` : customer.name;
    const what = instance.startedAt === null ? 'the instance is not made' : 'the instance needs a person';
    const found = { id: name, state: 'gave up', since: failingSince, what, instance: name, customer: who } as const;
    return [{ ...found, reason: errorMessage ?? '', nextTryAt }];
  });
}

function retryInstance(store: Store, name: string): 'queued' | 'unknown' {
  const instance = store.instances.byName(name);
  if (!instance || instance.phase === 'deleted') return 'unknown';
  store.jobs.enqueue(instance.key, { reason: 'an admin asked for another try' });
  return 'queued';
}

function inWords(letters: Listed[], { policy }: Config): string {
  const rows = letters.map(({ id, state, since, what, instance }) => [
    ...[id, state, moment(since, policy.timeZone), instance ?? '-', what],
  ]);
  const [header = '', ...lines] = table([
    ['ID', 'STATE', `SINCE (${policy.timeZone})`, 'INSTANCE', 'WHAT'],
    ...rows,
  ]).split('\n');
  const told = letters.map(({ customer, reason, nextTryAt }, index) => {
    const next = nextTryAt ? `; tried again ${moment(nextTryAt, policy.timeZone)}` : '';
    return `${lines[index] ?? ''}\n    ${customer ? `${customer}: ` : ''}${reason}${next}`;
  });
  return [header, ...told].join('\n');
}

/** A name begins with a letter. */
function isNumber(id: string): boolean {
  return /^\d+$/.test(id);
}

function unknownLetter(id: string): TerminalError {
  return new TerminalError('letter.unknown', `there is no dead letter ${id}`, ADVICE);
}
