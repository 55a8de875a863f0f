/** Who buys and who sells, as the daemon's own types. */
import type { Customer, Seller } from '../instance/types.js';
import type { PurchaseRow } from '../protocol/poll.js';
import { oneLine } from './text.js';

export function toCustomer(row: PurchaseRow['customer']): Customer {
  return {
    id: row.id,
    ...(row.created_on && { createdOn: row.created_on.toISOString() }),
    name: oneLine(row.name),
    contactId: row.contact_id,
    contactName: oneLine(row.contact_name),
    email: oneLine(row.email),
    lang: oneLine(row.lang, 20),
  };
}

export function toSeller(row: PurchaseRow['seller']): Seller {
  return { id: row.id, name: oneLine(row.name), shopUrl: /^https?:\/\/[^/]/.test(row.shop_url) ? row.shop_url : null };
}
