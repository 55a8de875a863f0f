/** Settings: the rules of the subscription. */
import { z } from 'zod';
import { clockOffset, dayList, timeZone, whole } from './kinds.js';
import { section, setting } from './setting.js';

const ambiguousRenewal = z.enum(['ask', 'first-to-expire'], 'ask (a person says which) or first-to-expire');

export const policy = section(
  'Subscription',
  {
    SAAS_TIME_ZONE: setting(timeZone, {
      default: 'Europe/Madrid',
      doc: 'where midnight is, for suspensions; also of dates in mails and new instances',
    }),
    SAAS_UNPAID_ORDER_GRACE_DAYS: setting(whole(0, 90), {
      default: '3',
      unit: 'days',
      doc: 'time for which a confirmed order counts without payment; 0: nothing is made before it is paid',
    }),
    SAAS_PENDING_PAYMENT_DAYS: setting(whole(0, 90), {
      default: '5',
      unit: 'days',
      doc: 'time for which a payment that is on its way holds off the suspension',
    }),
    SAAS_VANISHED_PAYMENT_HOURS: setting(whole(0, 2160), {
      default: '24',
      unit: 'hours',
      doc: 'a payment that vanished without a refund (reconciliation undone, invoice reset to draft) counts until the first midnight after so many hours',
    }),
    SAAS_EXPIRING_SOON_DAYS: setting(whole(0, 90), {
      default: '7',
      unit: 'days',
      doc: 'time before the end in which the record says *expiring soon* and holds a renewal quotation',
    }),
    SAAS_REMINDER_DAYS: setting(dayList('7,3,1'), {
      default: '7,3,1',
      unit: 'days',
      doc: 'how long before the end the customer is reminded; or `none`',
    }),
    SAAS_AMBIGUOUS_RENEWAL: setting(ambiguousRenewal, {
      default: 'ask',
      doc: 'a purchase that may be for several instances: a person decides, or `first-to-expire`',
    }),
    SAAS_STORAGE_GRACE_DAYS: setting(whole(0, 365), {
      default: '7',
      unit: 'days',
      doc: 'time for which an instance may use more storage than its plan has',
    }),
    SAAS_DELETION_WARNING_DAYS: setting(dayList('14,7,1'), {
      default: '14,7,1',
      unit: 'days',
      doc: 'how long before the deletion the customer is warned; or `none`',
    }),
    SAAS_CLOCK_OFFSET: setting(clockOffset, {
      default: 'PT0S',
      doc: "moves the daemon's clock, e.g. `P70D`, to rehearse on a test system; it really acts",
    }),
  },
  (c) => ({
    policy: {
      timeZone: c.SAAS_TIME_ZONE,
      unpaidOrderGraceDays: c.SAAS_UNPAID_ORDER_GRACE_DAYS,
      expiringSoonDays: c.SAAS_EXPIRING_SOON_DAYS,
      reminderDays: c.SAAS_REMINDER_DAYS,
      deletionWarningDays: c.SAAS_DELETION_WARNING_DAYS,
      pendingPaymentDays: c.SAAS_PENDING_PAYMENT_DAYS,
      vanishedPaymentHours: c.SAAS_VANISHED_PAYMENT_HOURS,
      storageGraceDays: c.SAAS_STORAGE_GRACE_DAYS,
    },
    /** A purchase that may be for several instances goes to the one that expires first, instead of asking a person. */
    firstToExpire: c.SAAS_AMBIGUOUS_RENEWAL === 'first-to-expire',
    clockOffset: c.SAAS_CLOCK_OFFSET,
  }),
);
