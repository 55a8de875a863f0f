/**
 * Makes one instance as it must be: reads the facts, computes what must be, looks at what is, does the operations that
 * wait and the steps that are missing, reports. It may die anywhere; the next run finishes.
 */
import { type Facts, planContext, readFacts, settingsOf } from '../facts/facts.js';
import { isFirstPasswordOwed } from '../facts/first-password.js';
import { actsAgainst, heldBack } from '../facts/held-back.js';
import { isUpToDate, releaseFor } from '../facts/place.js';
import type { SpecOf } from '../facts/spec-of.js';
import type { Command } from '../instance/command.js';
import { OPERATIONS, type Operation } from '../instance/operations/operations.js';
import type { Phase } from '../instance/phase.js';
import { planSteps } from '../instance/plan.js';
import type { Front, Runtime } from '../instance/ports.js';
import { isSameRelease, type Release } from '../instance/release.js';
import type { InstanceSpec } from '../instance/spec.js';
import type { Step, StepName } from '../instance/steps.js';
import type { Instance, Observed } from '../instance/types.js';
import { isStopped } from '../lib/errors.js';
import type { Intercept } from '../lib/intercept.js';
import type { Outside } from '../lib/turns.js';
import { COMMANDS } from '../owed/commands.js';
import { DAY_MS } from '../subscription/calendar.js';
import { type CopyFormat, createExecutors, type Lane } from './executors.js';
import { createFailure } from './failure.js';
import { createOperations } from './operations.js';
import { createOutcome, type Ended, later, type OutcomeParts } from './outcome.js';
import { createPlaces } from './places.js';
import { createPlanChange } from './plan-change.js';

export interface ReconcilerParts extends OutcomeParts {
  runtime: Runtime;
  front: Pick<Front, 'release'>;
  exportLane: Lane;
  /** Makes a backup of an instance now. */
  backUp(instanceKey: string, before: 'rebuild' | 'refusal'): Promise<void>;
  /** Sees each step. */
  intercept?: Intercept;
  /** What a plan runs that says nothing else. */
  release: Release;
  specOf: SpecOf;
  /** Reads all that the master knows of the instance now, and takes it in. Throws where it cannot be read. */
  readAfresh(instanceKey: string): Promise<void>;
  copies: Copies;
  /** Its database is to run, though the instance is down: it is read. */
  isOpen(instanceKey: string): boolean;
}

export type Reconciler = ReturnType<typeof createReconciler>;

/** The final copies of deleted instances. */
export interface Copies {
  /** So many days one that is made now is kept; 0: none are made. */
  keptDays: number;
  /** Where that of an instance goes. */
  fileOf(instance: { key: string; name: string }, format: CopyFormat): string;
  /** Writes down beside it until when it is kept. */
  promise(file: string, until: Date): Promise<void>;
  /** What was written down; null where nothing was. */
  promisedUntil(file: string): Promise<Date | null>;
}

type Work = Pick<Ended, 'spec' | 'steps' | 'operations' | 'upToDate' | 'copyKeptUntil'>;

/** Steps of a deletion that take nothing away. */
const COPYING: ReadonlySet<StepName> = new Set(['stopOdoo', 'stopDb', 'exportData', 'copyVolumes']);
/** What the steps that make a copy write. */
const COPIES: { readonly [Name in StepName]?: CopyFormat } = { exportData: 'zip', copyVolumes: 'tgz' };

const NOTHING: Work = { spec: null, steps: [], operations: [], upToDate: false, copyKeptUntil: null };

export function createReconciler(parts: ReconcilerParts) {
  const { store, runtime, policy, clock, log, metrics, specOf } = parts;
  const outcome = createOutcome(parts);
  const planChange = createPlanChange(parts);
  const places = createPlaces(parts);
  const operations = createOperations(parts);
  const perform = createExecutors(parts);

  /**
   * Brings the instance to its desired state; resolves with the next moment its state changes by itself.
   * @param outside is where it waits for the master and for the login page.
   */
  async function reconcile(key: string, outside: Outside = (wait) => wait()): Promise<Date | null> {
    // With the facts, in one moment: what is asked later is for the next run.
    const commands = store.commands.pending(key).filter(({ command }) => !COMMANDS[command].isBackup);
    const asked = store.operations.of(key);
    try {
      return await bring(key, commands, asked, outside);
    } catch (error) {
      if (!isStopped(error)) outcome.giveUp(key, commands, error);
      throw error;
    }
  }

  async function bring(key: string, commands: Command[], asked: Operation[], outside: Outside): Promise<Date | null> {
    const startedAt = performance.now();
    const decided = await decidedFacts(key, outside);
    if (!decided) return null;
    const waits = mustWait(decided);
    // Part of it may be gone already.
    if (waits && decided.instance.phase === 'deleting') return later(clock());
    const facts = waits ? heldBack(decided) : decided;
    log.debug('instance.reconciling', facts.desired.reason, { instance: facts.instance.name });
    const isPlaced = await place(facts);
    const work = isPlaced ? await places.at(facts.instance, () => makeSo(facts, asked, outside)) : NOTHING;
    // The next run, at once, does what they ask for.
    if (work === 'other facts') return clock();
    const refused = await planChange.answer(facts, commands);
    const ms = performance.now() - startedAt;
    const nextRunAt = outcome.finish({ facts, ...work, waits, commands, refused, ms });
    metrics.reconciles.inc({ result: 'done' });
    return nextRunAt;
  }

  /** Null for an instance that is unknown or deleted. */
  async function decidedFacts(key: string, outside: Outside): Promise<Facts | null> {
    const read = () => readFacts(store, policy, key, clock());
    let facts = read();
    if (facts?.desired.state === 'deleted' && !mustWait(facts)) {
      // Data goes for good: nothing that was paid a moment ago may be overlooked.
      await outside(() => parts.readAfresh(key));
      facts = read();
    }
    if (facts?.sleep.isAsleep && facts.instance.asleepSince === null && (await wasVisited(facts))) facts = read();
    // Each refusal turns one purchase into time of the present plan.
    while (facts && facts.desired.state !== 'deleted' && (await planChange.refuse(facts, outside))) facts = read();
    return facts;
  }

  /** Before it is put to sleep its Odoo is asked when it last had a visitor. */
  async function wasVisited({ instance }: Facts): Promise<boolean> {
    const visitedAt = await runtime.lastVisit(instance);
    if (visitedAt === null || (instance.visitedAt !== null && visitedAt <= instance.visitedAt)) return false;
    store.instances.update(instance.key, { visitedAt: new Date(Math.min(Number(visitedAt), Number(clock()))) });
    return true;
  }

  function mustWait(facts: Facts): boolean {
    return actsAgainst(facts) && !parts.mayAct(facts.instance.key);
  }

  /** Sees that it has a place; false for an instance that has none and needs none. */
  async function place({ instance, desired }: Facts): Promise<boolean> {
    instance.placement ??= await (desired.state === 'running' ? places.allocate(instance) : places.find(instance));
    return instance.placement !== null;
  }

  /** Operations first, then what is still missing. */
  async function makeSo(facts: Facts, asked: Operation[], outside: Outside): Promise<Work | 'other facts'> {
    const { instance, desired } = facts;
    const before = await runtime.observe(instance);
    const spec = pin(facts, before);
    // The store may have been lost since: what was made with the key of today has its passwords.
    if (before.odoo?.specHash === runtime.hashesOf(spec).odoo && instance.secrets === null) facts.secretsSet = true;
    const wanted = exportsFirst(facts, before) ? beginExport(instance) : asked;
    const steps: Step[] = [];
    let announced = instance.phase;
    const execute = async (step: Step) => {
      const phase = phaseDuring(step, facts);
      if (phase !== announced) outcome.report(facts, spec, { phase, errorMessage: null });
      announced = phase;
      await executeStep(step, facts, spec, outside);
      if (step.action === 'applySettings') instance.settings = settingsOf(spec);
      if (step.action === 'useRestored') spec.generation = instance.generation = useRestored(instance);
      if (step.action === 'setSecrets') facts.secretsSet = outcome.secretsSet(instance.key);
      steps.push(step);
    };
    const context = () => ({ ...planContext(facts, spec), databaseWanted: parts.isOpen(instance.key) });
    const missing = (observed: Observed) => planSteps(desired, observed, context());
    const observe = () => runtime.observe(instance);
    const ended = await operations.run(wanted, { facts, observe, missing, execute });
    // It may have taken hours to write the copy.
    const isCopied = steps.some(({ action }) => COPIES[action] !== undefined);
    if (isCopied && !(await isStillToGo(instance.key, outside))) return 'other facts';
    for (const step of missing(steps.length > 0 ? await observe() : before)) await execute(step);
    const isCopyMade = ended.some(({ kind, progress }) => kind === 'export' && progress !== OPERATIONS.export.chosen);
    const copyKeptUntil = isCopyMade ? await promisedUntil(instance) : null;
    const upToDate = isUpToDate(before, steps, runtime.hashesOf(spec));
    return { spec, steps, operations: ended, upToDate, copyKeptUntil };
  }

  /** Of the copy that was made last. */
  async function promisedUntil(instance: Instance): Promise<Date | null> {
    const formats = Object.values(COPIES);
    const dates = await Promise.all(
      formats.map((format) => parts.copies.promisedUntil(parts.copies.fileOf(instance, format))),
    );
    return dates.reduce((last, date) => (Number(date) > Number(last) ? date : last), null);
  }

  /** Before the first step that cannot be undone everything is read and decided anew. */
  async function isStillToGo(key: string, outside: Outside): Promise<boolean> {
    await outside(() => parts.readAfresh(key));
    const facts = readFacts(store, policy, key, clock());
    return facts?.desired.state === 'deleted' && !mustWait(facts);
  }

  /** Which release it gets is written down before anything is made of it. */
  function pin(facts: Facts, observed: Observed): InstanceSpec {
    const release = releaseFor(facts, observed, parts.release);
    if (facts.instance.release === null || !isSameRelease(facts.instance.release, release)) {
      store.instances.update(facts.instance.key, { release });
    }
    facts.instance.release = release;
    const spec = specOf(facts);
    if (!spec) throw new Error('it has a place and a release');
    return spec;
  }

  /** What was restored beside it is its data from now on, however often that is said. Gives the generation. */
  function useRestored({ key, generation }: Instance): number {
    const restored = store.backups.get(key)?.restoredGeneration ?? generation;
    return store.instances.update(key, { generation: restored }).generation;
  }

  /** Before the data of an instance that was in use goes, a copy of it is written. */
  function exportsFirst({ instance, desired }: Facts, { volumes }: Observed): boolean {
    return desired.state === 'deleted' && instance.startedAt !== null && parts.copies.keptDays > 0 && volumes !== false;
  }

  function beginExport({ key }: Instance): Operation[] {
    store.operations.begin(key, 'export', 'deletion');
    return store.operations.of(key);
  }

  /** What takes long is on the record while it is done. Whoever is to be deleted can pay while the copy is written. */
  function phaseDuring(step: Step, { instance, desired }: Facts): Phase {
    if (desired.state !== 'deleted') return instance.startedAt === null ? 'provisioning' : instance.phase;
    return desired.cause !== 'staff' && COPYING.has(step.action) ? instance.phase : 'deleting';
  }

  async function executeStep(step: Step, { instance }: Facts, spec: InstanceSpec, outside: Outside): Promise<void> {
    const startedAt = performance.now();
    const provisioned = instance.startedAt !== null;
    const exportFile = (format: CopyFormat) => parts.copies.fileOf(instance, format);
    const isPasswordOwed = isFirstPasswordOwed(store, instance);
    const promise = (file: string) =>
      parts.copies.promise(file, new Date(clock().getTime() + parts.copies.keptDays * DAY_MS));
    await perform(step, { spec, provisioned, isPasswordOwed, exportFile, promise, outside });
    const durationMs = Math.round(performance.now() - startedAt);
    metrics.stepSeconds.observe({ step: step.action }, durationMs / 1000);
    log.debug('step.done', `${step.action} done.`, { instance: spec.name, step: step.action, durationMs });
  }

  return { reconcile, fail: createFailure(parts).fail };
}
