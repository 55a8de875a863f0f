/** Plain text for a terminal: tables and marks. */
export type Out = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;

/** Columns as wide as their widest cell, two spaces between them. */
export function table(rows: string[][]): string {
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

/** `ok`, or `wrong`, coloured on a terminal. */
export function mark(ok: boolean, out: Out, env: NodeJS.ProcessEnv = process.env): string {
  const text = ok ? 'ok   ' : 'wrong';
  if (!out.isTTY || env.NO_COLOR) return text;
  return `\u001b[${ok ? 32 : 31}m${text}\u001b[0m`;
}

/** `2026-12-22 14:05` in a time zone. */
export function moment(date: Date | null, timeZone: string): string {
  if (!date) return '-';
  const parts = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'short', timeZone });
  return parts.format(date);
}
