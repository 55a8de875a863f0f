/** Plain text for a terminal: tables and marks. */
import { printable } from '../lib/printable.js';

export type Out = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;

/** Columns as wide as their widest cell, two spaces between them. */
export function table(given: string[][]): string {
  const rows = given.map((row) => row.map(printable));
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const COLOURS = { ok: 32, warn: 33, wrong: 31 } as const;

/** `ok`, `warn` or `wrong`, five characters wide, coloured on a terminal. */
export function mark(verdict: keyof typeof COLOURS, out: Out, env: NodeJS.ProcessEnv = process.env): string {
  const text = verdict.padEnd(5);
  if (!out.isTTY || env.NO_COLOR) return text;
  return `\u001b[${COLOURS[verdict]}m${text}\u001b[0m`;
}

/** `2026-12-22 14:05` in a time zone. */
export function moment(date: Date | null, timeZone: string): string {
  if (!date) return '-';
  const parts = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'short', timeZone });
  return parts.format(date);
}
