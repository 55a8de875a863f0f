/** What is wrong with rows of the master, told once: to the admin's log, and to the salesperson of a purchase. */
import type { Log } from '../lib/logger.js';
import type { Rejected } from '../odoo/rows.js';
import { problemOperation } from '../owed/operations.js';
import type { Store } from '../store/store.js';

export type Problems = ReturnType<typeof createProblems>;

export function createProblems(store: Store, log: Log) {
  /** Problems already told; one that a full pass does not meet is over. The addon tells each only once anyhow. */
  let told = new Set<string>();
  /** Those met since the last full pass ended. */
  let met = new Set<string>();

  /** Whether it is news. */
  function isNew(problem: string): boolean {
    met.add(problem);
    if (told.has(problem)) return false;
    told.add(problem);
    return true;
  }

  function tell(purchaseKey: string, code: string, en: string, es: string): void {
    if (!isNew(`${purchaseKey}:${code}`)) return;
    log.warn('purchase.problem', en, { purchase: purchaseKey, problem: code });
    // In a lane of its own: one that the master cannot take holds up no other.
    store.outbox.put(problemOperation(purchaseKey, code, { en, es }), purchaseKey);
  }

  return {
    /** The product it is of is no complete plan. */
    noPlan(key: string, document: string): void {
      tell(
        key,
        'plan',
        `${document}: the product is no complete SaaS plan, so nothing could be provisioned. Complete the product's SaaS plan page; it goes on by itself then.`,
        `${document}: el producto no es un plan SaaS completo y no se ha podido crear nada. Complete la página «Plan SaaS» del producto; después sigue solo.`,
      );
    },

    /** It may be for any of these instances. */
    ambiguous(key: string, document: string, candidates: string[]): void {
      const names = candidates.map((candidate) => store.instances.get(candidate)?.name ?? candidate).join(', ');
      tell(
        key,
        'ambiguous',
        `${document}: the customer has several instances of this plan (${names}); set on the line which one it is for.`,
        `${document}: el cliente tiene varias instancias de este plan (${names}); indique en la línea para cuál es.`,
      );
    },

    unknownInstance(key: string, document: string, instanceKey: string): void {
      tell(
        key,
        'unknown-instance',
        `${document}: the instance on the line (${instanceKey}) does not exist or was not asked for yet; create it, or set another on the line.`,
        `${document}: la instancia de la línea (${instanceKey}) no existe o aún no se ha solicitado; créela o indique otra en la línea.`,
      );
    },

    trialUsed(key: string, document: string): void {
      tell(
        key,
        'trial-used',
        `${document}: the free trial is for new customers, and this one has or had an instance. Nothing was made.`,
        `${document}: la prueba gratuita es para clientes nuevos y este ya tiene o tuvo una instancia. No se ha creado nada.`,
      );
    },

    /** Somebody paid for an instance that is gone. */
    deletedInstance(key: string, document: string, name: string): void {
      tell(
        key,
        'deleted-instance',
        `${document} pays for ${name}, which was deleted. Give the money back, or take the instance off the line to make a new one.`,
        `${document} paga ${name}, que ya fue eliminada. Devuelva el dinero, o quite la instancia de la línea para crear una nueva.`,
      );
    },

    /** A row that makes no sense. */
    rejected({ kind, key, id, problem }: Rejected): void {
      if (kind === 'purchase' && key) {
        tell(
          key,
          'rejected',
          `${problem}. Nothing was provisioned for it.`,
          `${problem}. No se ha creado nada por ella.`,
        );
        return;
      }
      if (!isNew(`${kind}:${id ?? key}:${problem}`)) return;
      log.warn('poll.row_rejected', `The master sent a ${kind} that cannot be used: ${problem}`, {
        kind,
        id: id ?? key,
        advice: 'Correct it in the master; it is read again when it changes.',
      });
    },

    /** A full pass has met all that there are: the others are over, and news when they come back. */
    passEnded(): void {
      told = met;
      met = new Set();
    },

    /** What was to be told was rolled back with the rest. */
    rolledBack(): void {
      told.clear();
    },
  };
}
