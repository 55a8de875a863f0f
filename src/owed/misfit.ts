/** What is too much for a plan, in words. Pure. */
import type { MisfitSentence } from '../protocol/sentences.js';
import type { Misfit } from '../subscription/fit.js';

/** For the staff. */
export function misfitSentences({ plan, users, storageGb }: Misfit): MisfitSentence[] {
  const sentences: MisfitSentence[] = [];
  if (users) sentences.push({ code: 'users_over_plan', params: { plan, ...users } });
  if (storageGb) {
    const { used, limit } = storageGb;
    sentences.push({ code: 'storage_over_plan', params: { plan, used_gb: Number(used.toFixed(1)), limit_gb: limit } });
  }
  return sentences;
}

/** For the admin's log, and for the mail that tells the customer: "it has 4 active users and Basic includes 2". */
export function misfitText({ plan, users, storageGb }: Misfit): { en: string; es: string } {
  const en: string[] = [];
  const es: string[] = [];
  if (users) {
    en.push(`it has ${users.used} active users and ${plan} includes ${users.limit}`);
    es.push(`tiene ${users.used} usuarios activos y ${plan} incluye ${users.limit}`);
  }
  if (storageGb) {
    const used = storageGb.used.toFixed(1);
    en.push(`it uses ${used} GB and ${plan} includes ${storageGb.limit} GB`);
    es.push(`ocupa ${used.replace('.', ',')} GB y ${plan} incluye ${storageGb.limit} GB`);
  }
  return { en: en.join(', and '), es: es.join('; además, ') };
}
