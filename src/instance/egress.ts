/** What an instance's Odoo may reach beside its own database and the visitors who come to it. Pure. */

/**
 * `closed`: nothing. `relay`: the seller's mail relay. `web`: that, web servers, and mail servers that ask for a login.
 * `all`: every public address and port. Never what is private: the host, its networks, other customers.
 */
export const EGRESS = ['closed', 'relay', 'web', 'all'] as const;
export type Egress = (typeof EGRESS)[number];

/** What a plan has that says nothing. */
export const DEFAULT_EGRESS: Egress = 'web';
