/** An instance of which nothing was made yet. */
export const UNTOUCHED = {
  seller: null,
  hold: 'none',
  phase: 'draft',
  startedAt: null,
  suspendedAt: null,
  usage: null,
  measuredAt: null,
  storageOverSince: null,
  toldPaidUntil: null,
  warnedAt: null,
  toldDeleteAt: null,
  toldStorageAt: null,
  release: null,
  revision: null,
  limits: null,
  errorMessage: null,
} as const;
