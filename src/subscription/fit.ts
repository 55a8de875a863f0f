/** Whether what an instance uses fits into a plan. */
import type { Plan, Usage } from '../instance/types.js';

export interface Misfit {
  en: string;
  es: string;
}

export const GB = 1024 ** 3;

export function storageBytes({ databaseBytes, filestoreBytes }: Usage): number {
  return databaseBytes + filestoreBytes;
}

/** 0 GB is no limit. */
export function isOverStorage(usage: Usage, { storageGb }: Pick<Plan, 'storageGb'>): boolean {
  return storageGb > 0 && storageBytes(usage) > storageGb * GB;
}

/** What is too much for the plan, for the customer and the staff; null where all fits. Limits that do not shrink never refuse. */
export function misfitOf(usage: Usage, present: Plan, wanted: Plan): Misfit | null {
  const en: string[] = [];
  const es: string[] = [];
  if (wanted.maxUsers > 0 && isLess(wanted.maxUsers, present.maxUsers) && usage.users > wanted.maxUsers) {
    en.push(`it has ${usage.users} active users and ${wanted.name} includes ${wanted.maxUsers}`);
    es.push(`tiene ${usage.users} usuarios activos y ${wanted.name} incluye ${wanted.maxUsers}`);
  }
  const usedGb = storageBytes(usage) / GB;
  if (wanted.storageGb > 0 && isLess(wanted.storageGb, present.storageGb) && usedGb > wanted.storageGb) {
    const used = usedGb.toFixed(1);
    en.push(`it uses ${used} GB and ${wanted.name} includes ${wanted.storageGb} GB`);
    es.push(`ocupa ${used.replace('.', ',')} GB y ${wanted.name} incluye ${wanted.storageGb} GB`);
  }
  return en.length === 0 ? null : { en: en.join(', and '), es: es.join('; además, ') };
}

/** 0 is no limit. */
function isLess(wanted: number, present: number): boolean {
  return present === 0 || wanted < present;
}
