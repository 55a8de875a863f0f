/**
 * What the daemon tells the staff: a code with its parameters. The addon puts it into words in the language of who reads
 * it (`saas_sentence.py`, one entry a code); parameters are data, and the addon shows at most 1,000 characters of each.
 */
import { z } from 'zod';
import { ODOO_TIME } from './time.js';

/** What people call an instance, a plan, an order. */
const name = z.string();
/** What a program said, in English. */
const reason = z.string();
const count = z.int().min(0);
/** 1 GB is 1024³ bytes. */
const gigabytes = z.number().min(0);
const day = z.iso.date();
const moment = z.string().regex(ODOO_TIME);

/** What is too much for a plan: parts of other sentences. */
const MISFITS = {
  users_over_plan: z.strictObject({ used: count, limit: count, plan: name }),
  storage_over_plan: z.strictObject({ used_gb: gigabytes, limit_gb: gigabytes, plan: name }),
};
export const misfit = unionOf(MISFITS);

const NIGHT = { day, suspended: count, reminded: count, warned: count, deleted: count, failed: count };

const SENTENCES = {
  // About a purchase, for its salesperson.
  plan_incomplete: z.strictObject({ document: name }),
  instance_ambiguous: z.strictObject({ document: name, instances: z.array(name) }),
  instance_unknown: z.strictObject({ document: name, instance: name }),
  instance_deleted: z.strictObject({ document: name, instance: name }),
  trial_used: z.strictObject({ document: name }),
  purchase_rejected: z.strictObject({ reason }),
  instance_not_made: z.strictObject({ instance: name, reason }),
  instance_stuck: z.strictObject({ instance: name, reason }),
  still_not_made: z.strictObject({ instance: name, since: moment, reason }),
  still_failing: z.strictObject({ instance: name, since: moment, reason }),
  write_failing: z.strictObject({ instance: name, since: moment, reason }),
  customer_without_email: z.strictObject({ instance: name }),
  plan_change_refused: z.strictObject({ document: name, instance: name, plan: name, misfits: z.array(misfit) }),
  // About an instance, for a manager.
  instance_rebuilt: z.strictObject({ instance: name }),
  storage_over: z.strictObject({ instance: name, plan: name }),
  deletion_unannounced: z.strictObject({ instance: name, day }),
  stopped_for_space: z.strictObject({ instance: name, plan: name }),
  copy_failing: z.strictObject({ instance: name, reason }),
  usage_unreadable: z.strictObject({ instance: name, since: moment, reason }),
  backup_overdue: z.strictObject({ instance: name, since: moment, reason }),
  backup_not_proven: z.strictObject({ instance: name, reason }),
  // About the night, for all managers.
  night: z.strictObject(NIGHT),
  night_with_backups: z.strictObject({ ...NIGHT, backed_up: count, not_backed_up: count, not_whole: count }),
  // About the daemon's own work, for all managers.
  engine_away: z.strictObject({ since: moment, reason }),
  full_pass_failing: z.strictObject({ since: moment, reason }),
  disk_low: z.strictObject({ free_percent: count }),
  backups_failing: z.strictObject({ since: moment, reason }),
  template_failing: z.strictObject({ plans: z.array(name), since: moment, reason }),
  // Answers to a command, for who asked.
  now_running: z.strictObject({}),
  now_suspended: z.strictObject({}),
  now_stopped: z.strictObject({}),
  now_deleted: z.strictObject({}),
  containers_rebuilt: z.strictObject({}),
  restored: z.strictObject({}),
  no_such_backup: z.strictObject({}),
  restore_not_running: z.strictObject({}),
  restore_stopped: z.strictObject({}),
  restore_failed: z.strictObject({ reason }),
  backup_failed: z.strictObject({ reason }),
  backup_made: z.strictObject({ size_mb: count }),
  time_added: z.strictObject({}),
  time_added_held: z.strictObject({}),
  plan_changed: z.strictObject({}),
  plan_changed_held: z.strictObject({}),
  down_unpaid: z.strictObject({ paid_until: moment }),
  down_never_paid: z.strictObject({}),
  down_taken_back: z.strictObject({}),
  down_storage: z.strictObject({}),
  down_held: z.strictObject({}),
  plan_unknown: z.strictObject({}),
  plan_misfit: z.strictObject({ instance: name, plan: name, misfits: z.array(misfit) }),
  instance_gone: z.strictObject({}),
  /** A failure as the program told it, or a message of a daemon before protocol 3. */
  verbatim: z.strictObject({ text: z.string() }),
};
export const sentence = unionOf(SENTENCES);

/** Without its parameters it does not compile. */
export type Sentence = Said<typeof SENTENCES>;
export type MisfitSentence = Said<typeof MISFITS>;

type Table = Record<string, z.ZodObject>;
type Said<T extends Table> = { [C in keyof T]: { code: C; params: z.infer<T[C]> } }[keyof T];

function unionOf<T extends Table>(table: T) {
  const options = Object.entries(table).map(([code, params]) => z.strictObject({ code: z.literal(code), params }));
  return z.discriminatedUnion('code', options as [(typeof options)[0]]) as unknown as z.ZodType<Said<T>>;
}
