/** An instance of which nothing was made yet. */
export const UNTOUCHED = {
  hold: 'none',
  phase: 'draft',
  startedAt: null,
  suspendedAt: null,
  usage: null,
  measuredAt: null,
  storageOverSince: null,
  toldPaidUntil: null,
  warnedAt: null,
  release: null,
  revision: null,
  limits: null,
  errorMessage: null,
} as const;
