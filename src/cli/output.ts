/** Plain text for a terminal: tables and marks. */
import { printable, printableJson } from '../lib/printable.js';

export type Out = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;

/** Of the control characters that a terminal obeys: our own colours, and ends of lines. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: naming them is the purpose
const OBEYED = /\u001b\[(?:0|2|31|32|33)m|\n/;

/** A terminal that is written plain text alone, whatever an error or a name brings along. */
export function plainOut(stream: Out): Out {
  const write = (text: string) => {
    if (text.startsWith('{')) return stream.write(`${printableJson(text.trimEnd())}\n`);
    const parts = text.split(new RegExp(`(${OBEYED.source})`));
    return stream.write(parts.map((part) => (OBEYED.test(part) ? part : printable(part))).join(''));
  };
  return { isTTY: stream.isTTY, write: write as Out['write'] };
}

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
