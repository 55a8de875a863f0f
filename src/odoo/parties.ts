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
  return { id: row.id, name: oneLine(row.name), shopUrl: addressOf(row.shop_url) };
}

/** As it is written everywhere; null for what is no address of the web. */
function addressOf(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url && /^https?:$/.test(url.protocol) ? url.href.replace(/\/+$/, '') : null;
}
