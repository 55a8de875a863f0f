/** Date to Odoo's naive UTC text (`2026-11-22 12:00:00`), as `fields.Datetime` reads it. Fractions of a second are dropped. */
export function toOdooTime(date: Date): string {
  if (Number.isNaN(date.getTime())) throw new RangeError('an invalid date cannot be sent to Odoo');
  return date.toISOString().slice(0, 19).replace('T', ' ');
}

/** Odoo's naive UTC text to a Date; null where it is not such a text or no day of the calendar. */
export function fromOdooTime(text: string): Date | null {
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$/.test(text)) return null;
  const date = new Date(`${text.replace(' ', 'T')}Z`);
  // 31 February parses as 3 March.
  return !Number.isNaN(date.getTime()) && toOdooTime(date) === text.slice(0, 19) ? date : null;
}
