/** What must be, from what was paid and what staff decided. */
import type { Desired, Hold } from '../instance/types.js';
import type { SubscriptionStatus } from './types.js';

/** The staff's hold goes first; then the paid time and its grace decide. `deleted` is not produced yet. */
export function desiredState(status: SubscriptionStatus, hold: Hold, now: Date): Desired {
  if (hold === 'stopped')
    return { state: 'stopped', reason: 'Staff stopped it; it stays stopped until they resume it.' };
  if (hold === 'suspended') {
    return { state: 'suspended', reason: 'Staff suspended it; it stays suspended until they resume it.' };
  }
  const { paidUntil, suspendAt } = status;
  if (paidUntil === null || suspendAt === null) return { state: 'suspended', reason: reasonWithoutPaidTime(status) };
  if (now < paidUntil) return { state: 'running', reason: `It is paid until ${utc(paidUntil)}.` };
  if (now < suspendAt) {
    return { state: 'running', reason: `It was paid until ${utc(paidUntil)} and is suspended at ${utc(suspendAt)}.` };
  }
  return {
    state: 'suspended',
    reason: `It was paid until ${utc(paidUntil)}; the time to renew ended at ${utc(suspendAt)}.`,
  };
}

function reasonWithoutPaidTime({ state }: SubscriptionStatus): string {
  switch (state) {
    case 'cancelled':
      return 'Everything bought for it was cancelled or refunded.';
    case 'expired':
      return 'Its order stayed unpaid for too long.';
    default:
      return 'Nothing has been paid for it yet.';
  }
}

function utc(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
