/**
 * Who has which address of an instance's /28. `compose/firewall.sh` reads from the last digit of an address what it may reach:
 * with another plan Odoo has another address from its next start, and the firewall stays as it is. Pure.
 */
import type { Egress } from '../../instance/egress.js';
import type { Subnet } from '../engine/types.js';
import { addressAt } from './placement.js';

/** The engine's own side of the bridge. */
const GATEWAY = 1;
const ODOO: Record<Egress, number> = { closed: 4, relay: 5, web: 6, all: 7 };
/** Database and tasks: the rules let them reach nothing. */
const DYNAMIC = 8;

/** The address of Odoo in its network, e.g. `10.208.0.22` in `10.208.0.16/28` for `web`. */
export function odooAddress(subnet: string, egress: Egress): string {
  return addressAt(subnet, ODOO[egress]);
}

/** How the engine is to share out the addresses of an instance's network. */
export function sharedOut(subnet: string): Subnet {
  return { range: subnet, gateway: addressAt(subnet, GATEWAY), dynamic: `${addressAt(subnet, DYNAMIC)}/29` };
}
