/**
 * Looks at the names of their own that customers want for their instances: asks DNS, has the edge get the certificate, and
 * makes them the address. Who is refused learns why; one that leads elsewhere later is given up again.
 */
import { type DomainProblem, type Finding, findingOf } from '../domains/finding.js';
import { nameProblem } from '../domains/name.js';
import { isHeld, isYielded, nextLookAt, progressAfter, verdictOn } from '../domains/state.js';
import type { Dns, Domain } from '../domains/types.js';
import { PHASE } from '../instance/phase.js';
import type { Instance } from '../instance/types.js';
import type { Clock } from '../lib/clock.js';
import { messageOf } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import { type Loop, startLoop } from '../lib/loop.js';
import { domainsOperation } from '../owed/domains.js';
import { logOperation } from '../owed/operations.js';
import type { Store } from '../store/store.js';

/** So many at a time: one whose DNS does not answer keeps the others waiting for seconds, not for minutes. */
const AT_ONCE = 16;
const LONGEST_PAUSE_MS = 60_000;

const UNSEEN = { found: '', isProven: false, isPointed: false, isTwinPointed: false };

export interface DomainKeeperOptions {
  store: Store;
  dns: Dns;
  /** Null: there is no edge, and no name of a customer can lead to it. */
  edge: {
    /** Its public addresses; null: those that the instances' own hosts have. */
    addresses: readonly string[] | null;
    issuer: string;
    /** Resolves when it has a certificate for the host. */
    awaitCertificate(host: string, signal: AbortSignal): Promise<void>;
  } | null;
  /** The host with the name of an instance. */
  ownHost(instance: Instance): string;
  /** Hosts of the seller, which no customer gets. */
  sellers: readonly string[];
  clock: Clock;
  log: Log;
}

export function startDomains(options: DomainKeeperOptions): Loop {
  const { store, dns, edge, clock, log } = options;

  async function look(signal: AbortSignal): Promise<number> {
    const due = store.domains.due(clock(), AT_ONCE);
    await Promise.all(
      due.map((domain) =>
        examine(domain, signal).catch((error: unknown) => {
          log.error('domain.failed', `${domain.host} could not be looked at.`, errorFields(error));
          store.domains.update(domain, new Date(clock().getTime() + LONGEST_PAUSE_MS));
        }),
      ),
    );
    const next = store.domains.nextDueAt();
    if (next === null) return LONGEST_PAUSE_MS;
    return Math.min(LONGEST_PAUSE_MS, Math.max(0, next.getTime() - clock().getTime()));
  }

  async function examine(domain: Domain, signal: AbortSignal): Promise<void> {
    const instance = store.instances.get(domain.instanceKey);
    if (!instance || PHASE[instance.phase].gone) {
      store.domains.want(domain.instanceKey, []);
      return;
    }
    const target = options.ownHost(instance);
    const addresses = edge?.addresses ?? (await dns.addressesOf(target));
    const finding = await find(domain, instance, addresses);
    const isCertain = domain.state === 'certifying' && finding.problem === null;
    const failure = isCertain ? await certificateOf(domain, signal) : null;
    if (signal.aborted) return;
    store.transaction(() => settle(domain, finding, { isCertain, failure }, { target, addresses }));
  }

  async function find(domain: Domain, instance: Instance, addresses: readonly string[] | null): Promise<Finding> {
    const barred = barredBy(domain, instance);
    if (barred !== null || !edge) return { problem: barred ?? 'no_edge', ...UNSEEN };
    const { proof, state, host } = domain;
    const wanted = { proof, edge: addresses && [...addresses], issuer: edge.issuer, isHeld: isHeld(state) };
    return findingOf(await dns.look(host), wanted);
  }

  /** What no DNS can make good. */
  function barredBy({ host, instanceKey, base }: Domain, { planId, seller }: Instance): DomainProblem | null {
    if (!edge) return 'no_edge';
    const position = store.domains.of(instanceKey).findIndex((one) => one.base === base);
    if (position >= (store.plans.get(planId)?.domains ?? 0)) return 'over_limit';
    const shop = seller?.shopUrl && URL.canParse(seller.shopUrl) ? [new URL(seller.shopUrl).hostname] : [];
    return nameProblem(host, [...options.sellers, ...shop]);
  }

  /** Why there is none; null where there is one. */
  async function certificateOf({ host }: Domain, signal: AbortSignal): Promise<string | null> {
    try {
      await edge?.awaitCertificate(host, signal);
      return null;
    } catch (error) {
      if (signal.aborted) return null;
      log.warn('domain.no_certificate', `The edge has no certificate for ${host}: ${messageOf(error)}.`, { host });
      return messageOf(error).slice(0, 200);
    }
  }

  type Certificate = { isCertain: boolean; failure: string | null };

  /** Writes down what was found, and what follows from it; all of it or nothing. */
  function settle(
    looked: Domain,
    finding: Finding,
    { isCertain, failure }: Certificate,
    report: { target: string; addresses: readonly string[] | null },
  ): void {
    const now = clock();
    const before = store.domains.get(looked.instanceKey, looked.base);
    // It was given up, or asked for again, meanwhile.
    if (before?.host !== looked.host || Number(before.askedAt) !== Number(looked.askedAt)) return;
    const isTaken = finding.problem === null && !isHeld(before.state) && !isFree(before);
    const problem = isTaken ? 'taken' : failure !== null ? 'no_certificate' : finding.problem;
    const verdict = isTaken ? 'wrong' : isCertain && failure === null ? 'certified' : verdictOn(finding.problem);
    const progress = progressAfter(before, verdict, now);
    const failures = failure === null ? 0 : before.failures + 1;
    const { found, isProven, isPointed, isTwinPointed } = finding;
    // What DNS did not say is as it was said before.
    const seen = problem === 'unanswered' ? {} : { isProven, isPointed, isTwinPointed };
    const after: Domain = {
      ...before,
      ...progress,
      ...seen,
      problem,
      found: failure ?? found,
      failures,
      isAnswered: true,
    };
    store.domains.update(after, nextLookAt(after, { askedAt: after.askedAt, failures, problem }, now));
    tell(before, after, report);
  }

  /** Whether nobody has the name, or who has it must yield it, which happens here. */
  function isFree({ base, instanceKey }: Domain): boolean {
    const holder = store.domains.holder(base);
    if (holder === null || holder.instanceKey === instanceKey) return true;
    const customerOf = (key: string) => store.instances.get(key)?.customer.id;
    const isSameCustomer = customerOf(holder.instanceKey) === customerOf(instanceKey);
    if (!isYielded({ isProven: holder.isProven, isSameCustomer })) {
      store.domains.lookNow(holder.instanceKey);
      return false;
    }
    const yielded: Domain = { ...holder, state: 'waiting', since: clock(), problem: 'taken', failingSince: null };
    store.domains.update(yielded, null);
    const instance = store.instances.get(holder.instanceKey);
    if (instance) tell(holder, yielded, { target: options.ownHost(instance), addresses: null });
    return true;
  }

  function tell(before: Domain, after: Domain, report: { target: string; addresses: readonly string[] | null }): void {
    const { instanceKey: key, host } = after;
    const domains = store.domains.of(key);
    if (isOther(before, after)) store.outbox.put(domainsOperation(key, { domains, ...report }), key);
    const instance = store.instances.get(key);
    if (before.state === after.state) return;
    const text = `${host} is ${after.state}${after.problem === null ? '' : `: ${after.problem}`}.`;
    store.outbox.put(logOperation(key, clock(), [text]), key);
    log.info('domain.changed', text, { instance: instance?.name, host, before: before.state });
  }

  const loop = startLoop(look, (error) => log.error('domain.failed', 'Domains are not looked at.', errorFields(error)));

  /** The first that works is the address. Those of an instance that is gone are nobody's; another plan allows more, or fewer. */
  function follow(key: string): void {
    const domains = store.domains.of(key);
    const instance = store.instances.get(key);
    const main = domains.find(({ state }) => state === 'active')?.host ?? null;
    if (instance && instance.domain !== main) {
      store.instances.update(key, { domain: main });
      store.jobs.enqueue(key, { reason: 'its address is another' });
    }
    if (domains.length === 0) return;
    if (!instance || PHASE[instance.phase].gone) store.domains.want(key, []);
    else if (
      domains.some((domain) => (domain.problem === 'over_limit') !== (barredBy(domain, instance) === 'over_limit'))
    ) {
      store.domains.lookNow(key);
    }
    loop.wake();
  }
  const unlisten = store.bell.on('instances', ({ instances }) => {
    for (const key of instances) follow(key);
  });

  return {
    wake: () => loop.wake(),
    async stop() {
      unlisten();
      await loop.stop();
    },
  };
}

/** Whether there is anything to tell. */
function isOther(before: Domain, after: Domain): boolean {
  const told = ({ state, problem, found, isProven, isPointed, isTwinPointed, isAnswered }: Domain) =>
    JSON.stringify([state, problem, found, isProven, isPointed, isTwinPointed, isAnswered]);
  return told(before) !== told(after);
}
