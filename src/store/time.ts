/** Dates as the tables keep them: milliseconds since 1970. */

export function toMs(date: Date): number;
export function toMs(date: Date | null): number | null;
export function toMs(date: Date | null): number | null {
  return date === null ? null : date.getTime();
}

export function fromMs(ms: number): Date;
export function fromMs(ms: number | null): Date | null;
export function fromMs(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
