/** Places on one engine: a slot is a number, and two ports and a subnet follow from it. Pure. */
import type { Placement } from '../../instance/placement.js';

/** Addresses of a /28. */
const SUBNET_SIZE = 16;

/** What the places are cut from. */
export interface Ranges {
  /** First published port; two for each slot. */
  portBase: number;
  /** Range that the instances' /28 networks are cut from. */
  subnetPool: string;
}

/** The place with this number. Throws RangeError where the ranges have no room for it. */
export function placementAt({ portBase, subnetPool }: Ranges, slot: number): Placement {
  const { http, longpolling } = slotPorts(portBase, slot);
  return { slot, httpPort: http, longpollingPort: longpolling, subnet: slotSubnet(subnetPool, slot) };
}

interface Ports {
  http: number;
  longpolling: number;
}

/** Two ports for each slot. Throws RangeError beyond port 65535. */
function slotPorts(portBase: number, slot: number): Ports {
  const http = portBase + 2 * slot;
  if (!Number.isInteger(slot) || slot < 0 || http < 1 || http + 1 > 65_535) {
    throw new RangeError(`no ports left for slot ${slot} from port ${portBase}`);
  }
  return { http, longpolling: http + 1 };
}

/**
 * The slot's own /28 (13 addresses beside the gateway) in the pool, e.g. `10.208.0.0/12` holds 65,536 of them.
 * Docker's own pools allow only about 31 networks. Throws RangeError on a bad pool or a slot beyond it.
 */
function slotSubnet(pool: string, slot: number): string {
  const range = rangeOf(pool);
  if (!range || range.size < SUBNET_SIZE) throw new RangeError(`not an IPv4 pool: ${pool}`);
  if (!Number.isInteger(slot) || slot < 0 || slot >= range.size / SUBNET_SIZE) {
    throw new RangeError(`no subnet left for slot ${slot} in ${pool}`);
  }
  return `${dotted(range.start + slot * SUBNET_SIZE)}/28`;
}

/** An address of a network, counted from its first one. Throws RangeError where it has no such. */
export function addressAt(network: string, number: number): string {
  const range = rangeOf(network);
  if (!range || number < 0 || number >= range.size) throw new RangeError(`no address ${number} in ${network}`);
  return dotted(range.start + number);
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

/** Whether two networks have an address in common. What is no IPv4 network has none. */
export function overlaps(one: string, other: string): boolean {
  const [a, b] = [rangeOf(one), rangeOf(other)];
  return a !== null && b !== null && a.start < b.start + b.size && b.start < a.start + a.size;
}

/** The addresses of an IPv4 network, as numbers; null for anything else. */
function rangeOf(network: string): { start: number; size: number } | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(network);
  const octets = (match ?? []).slice(1, 5).map(Number);
  const bits = Number(match?.[5]);
  if (!match || octets.some((octet) => octet > 255) || bits > 32) return null;
  const address = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const size = 2 ** (32 - bits);
  return { start: address - (address % size), size };
}
