/** What an instance is to be made from, in the words of the domain. Pure. */
import { TerminalError } from '../lib/errors.js';
import type { Instance, Plan } from './types.js';

/** What the customer gets. */
export interface InstanceSpec {
  key: string;
  name: string;
  slot: number;
  cpu: number;
  memoryMb: number;
  /** Installed in the template, beside base and web. */
  modules: string[];
  /** Public address, e.g. `https://acme.example.com`. */
  url: string;
  companyName: string;
  contactName: string;
  /** Also the administrator's login; `admin` when empty. */
  email: string;
  lang: string;
  /** Internal users that may be active; 0: any number. */
  maxUsers: number;
  /** Where the customer changes the plan; may be empty. Shown to the instance's administrator. */
  accountUrl: string;
}

/** The spec of a stored instance. TerminalError `instance.no_slot` while it has no slot. */
export function instanceSpec(instance: Instance, plan: Plan, url: string, accountUrl = ''): InstanceSpec {
  const { key, name, slot, customer } = instance;
  if (slot === null) throw new TerminalError('instance.no_slot', `${name} has no slot`, 'Give the instance a slot.');
  return {
    key,
    name,
    slot,
    cpu: plan.cpu,
    memoryMb: plan.memoryMb,
    modules: plan.modules,
    url,
    companyName: customer.name,
    contactName: customer.contactName || customer.name,
    email: customer.email,
    lang: customer.lang,
    maxUsers: plan.maxUsers,
    accountUrl,
  };
}

/** The administrator's login of an instance. */
export function adminLogin(spec: Pick<InstanceSpec, 'email'>): string {
  return spec.email.trim() || 'admin';
}
