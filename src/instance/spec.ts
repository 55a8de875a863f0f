/** What an instance is to be made from, in the words of the domain. Pure. */
import { DEFAULT_EGRESS, type Egress } from './egress.js';
import type { Placement } from './placement.js';
import type { Release } from './release.js';
import type { Instance, Plan } from './types.js';

/** What the customer gets. */
export interface InstanceSpec {
  key: string;
  name: string;
  placement: Placement;
  /** How often its data was restored; absent: never. */
  generation?: number;
  release: Release;
  cpu: number;
  memoryMb: number;
  /** Space for database and files; 0: no limit. */
  storageGb: number;
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
  /** What its Odoo may reach. */
  egress: Egress;
  /** Where the customer changes the plan; may be empty. Shown to the instance's administrator. */
  accountUrl: string;
}

/** Where an instance stands and what it runs, once both are known. */
export interface Place {
  placement: Placement;
  release: Release;
}

/**
 * The spec of an instance.
 * @param url its public address.
 * @param accountUrl see InstanceSpec.
 */
export function instanceSpec(
  { key, name, customer, generation }: Pick<Instance, 'key' | 'name' | 'customer' | 'generation'>,
  plan: Plan,
  { placement, release }: Place,
  url: string,
  accountUrl = '',
): InstanceSpec {
  return {
    key,
    name,
    placement,
    ...(generation > 0 ? { generation } : {}),
    release,
    cpu: plan.cpu,
    memoryMb: plan.memoryMb,
    storageGb: plan.storageGb,
    modules: plan.modules,
    url,
    companyName: customer.name,
    contactName: customer.contactName || customer.name,
    email: customer.email,
    lang: customer.lang,
    maxUsers: plan.maxUsers,
    egress: plan.egress ?? DEFAULT_EGRESS,
    accountUrl,
  };
}

/** The administrator's login of an instance. */
export function adminLogin(spec: Pick<InstanceSpec, 'email'>): string {
  return spec.email.trim() || 'admin';
}
