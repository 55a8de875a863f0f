/** How many backups of an instance stay: the newest of each of so many days, weeks and months. */
export interface KeepRule {
  daily: number;
  weekly: number;
  monthly: number;
}

/** Of a plan that says nothing else. */
export const DEFAULT_KEEP: KeepRule = { daily: 7, weekly: 4, monthly: 12 };
