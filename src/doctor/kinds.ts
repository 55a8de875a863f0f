/** All that the doctor can find: what it means, what to do, and what `--fix` does about it. One row a kind. */

/** What `--fix` can do. None of it takes anything of a customer's away. */
export const FIXES = {
  enqueue: 'has the daemon look at the instance at once and report it',
  read: 'has the daemon read all of the master anew',
  remove_empty: 'removes its network and stopped containers, which hold no data',
  remove_folder: 'removes the folder, which shows what containers were made from',
  date_copy: 'writes down until when the copy is kept',
  end_tasks: 'ends it',
  forget_job: 'forgets the job',
} as const;
export type Fix = keyof typeof FIXES;

interface Row {
  /** One sentence; `{…}` are filled in. */
  sentence: string;
  /** What it means, and what a person can do. */
  advice: string;
  fix: Fix | null;
}

export const KINDS = {
  // A part that cannot be read hides what does not agree with it.
  unread: {
    sentence: 'The {part} cannot be read: {reason}.',
    advice: 'What does not agree with it is not found. saas-bridge check says what is wrong with it.',
    fix: null,
  },
  // Master and store.
  master_gone_back: {
    sentence: 'The master knows {generation} pushes and has answered {answered}: it was restored from a backup.',
    advice: 'Customers are served on; nobody new is. Stop the daemon and run: saas-bridge reconcile-master',
    fix: null,
  },
  master_other: {
    sentence: 'The master is the database {database}, and the store knows {known}.',
    advice: 'Correct SAAS_ODOO_DB; for a copy that takes its place: saas-bridge reconcile-master',
    fix: null,
  },
  store_behind: {
    sentence: 'The master knows {generation} pushes and the store only {known}: it is an older one.',
    advice: 'A running daemon sets it aside by itself. Otherwise: saas-bridge rebuild-store',
    fix: null,
  },
  record_missing: {
    sentence: '{name} has no record in the master.',
    advice: 'Staff and customer see nothing of it. The daemon writes it anew.',
    fix: 'enqueue',
  },
  record_differs: {
    sentence: '{name}: {difference}.',
    advice: 'The record in the master shows staff what is not so. The daemon writes it anew.',
    fix: 'enqueue',
  },
  record_unread: {
    sentence: 'The master has a record of {name} ({key}), which the store does not know.',
    advice: 'The daemon does nothing for it. It reads everything once an hour, too.',
    fix: 'read',
  },
  purchase_unread: {
    sentence: '{document} ({key}) was bought, and the store does not know it.',
    advice: 'Nobody is served for it yet. The daemon reads everything once an hour, too.',
    fix: 'read',
  },
  purchase_astray: {
    sentence: '{document} ({key}) is for an instance that the store does not know.',
    advice: 'It counts for nobody. The daemon decides anew when it reads it.',
    fix: 'read',
  },
  purchase_unserved: {
    sentence: '{document} ({key}) is for no instance.',
    advice: 'Its salesperson has a to-do that says why: an incomplete plan, several instances, a second trial.',
    fix: null,
  },
  // Engine and store.
  not_as_it_must_be: {
    sentence: '{name} is not as it must be, and nothing is under way: {steps} is to be done.',
    advice: 'Something stopped, started or removed it. The daemon puts it right.',
    fix: 'enqueue',
  },
  undecided: {
    sentence: 'Nothing can be decided for {name}: {reason}.',
    advice: 'It stays as it is until the cause is corrected, mostly the plan in the master.',
    fix: null,
  },
  data_missing: {
    sentence: '{name} was in use, and its data is not on the engine; missing: {volumes}.',
    advice: 'No empty database takes its place. Press Restore on its record: the last backup comes back.',
    fix: null,
  },
  place_differs: {
    sentence: '{name} stands at place {engine} of the engine, and the store says {store}.',
    advice:
      'Its address leads elsewhere. Press Rebuild on its record: its containers are made anew at the right place.',
    fix: null,
  },
  stranger_data: {
    sentence: 'The engine has data of {name} ({key}), which nobody knows: {volumes}.',
    advice: 'It may be a customer’s: see whose. Nothing removes it but you: docker volume rm {volumes}',
    fix: null,
  },
  stranger_empty: {
    sentence: 'The engine has a network or containers of {name} ({key}), which nobody knows, and no data.',
    advice: 'They only take a name and a place.',
    fix: 'remove_empty',
  },
  deleted_data: {
    sentence: 'The data of {name} is still on the engine, and it was deleted: {volumes}.',
    advice: 'A restored host brings it back. When nobody needs it: docker volume rm {volumes}',
    fix: null,
  },
  deleted_empty: {
    sentence: 'A network or containers of {name} are still on the engine, and it was deleted.',
    advice: 'They only take a name and a place.',
    fix: 'remove_empty',
  },
  foreign: {
    sentence: '{object} has the name of something of {name}, and is not its.',
    advice: 'The daemon does not touch it, and cannot make its own. Rename or remove it if you know what it is.',
    fix: null,
  },
  left_task: {
    sentence: 'The task {object} runs, and no daemon does.',
    advice: 'A daemon that was killed has left it. The next start ends it, too.',
    fix: 'end_tasks',
  },
  marker_missing: {
    sentence: 'The engine does not say whose the scope is.',
    advice: 'The next start of the daemon writes it; another one could take the scope meanwhile.',
    fix: null,
  },
  marker_other: {
    sentence: 'The scope on the engine belongs to another daemon: {place}.',
    advice: 'Nothing is mended on the engine. If that data folder is lost: saas-bridge take-over',
    fix: null,
  },
  // Disk.
  folder_left: {
    sentence: 'The folder instances/{folder} is of no instance that lives.',
    advice: 'It shows what containers were made from, with passwords, and is of no use any more.',
    fix: 'remove_folder',
  },
  copy_undated: {
    sentence: 'Nothing says until when the final copy {file} is kept.',
    advice: 'It is kept for SAAS_EXPORT_DAYS from when it was written, at least 90.',
    fix: 'date_copy',
  },
  copy_lost: {
    sentence: 'The final copy {file} is to be kept until {until}, and is not there.',
    advice: 'If you have moved it to a safe place, remove the file {file}.until too.',
    fix: null,
  },
  copy_unfinished: {
    sentence: 'The final copy {file} is unfinished, and no daemon works on it.',
    advice: 'The next try writes it anew. If its instance needs none any more, remove the file.',
    fix: null,
  },
  // The store by itself.
  job_for_nobody: {
    sentence: 'There is a job for {key}, which is no instance.',
    advice: 'It does nothing.',
    fix: 'forget_job',
  },
  command_waits: {
    sentence: 'The button {command} was pressed for {name}, and nothing is under way.',
    advice: 'Who pressed it waits for the answer. The daemon sees to it when it looks at the instance.',
    fix: 'enqueue',
  },
  letter: {
    sentence: '{name}: {what}: {reason}.',
    advice: 'Correct the cause, then: saas-bridge dead-letters retry {id}',
    fix: null,
  },
  writes_wait: {
    sentence: '{count} writes wait for the master, the oldest for {minutes} minutes.',
    advice: 'They are sent when it answers: see the master, and poll.failed or outbox.delayed in the log.',
    fix: null,
  },
} as const satisfies Record<string, Row>;

export type Kind = keyof typeof KINDS;

export interface Finding {
  kind: Kind;
  /** What it is about: the key of an instance, a file, the id of a letter. With the kind it tells one from others. */
  subject: string;
  sentence: string;
  advice: string;
  fix: Fix | null;
}

/** @throws RangeError where a word of the sentences is not given. */
export function finding(kind: Kind, subject: string, words: Record<string, string | number>): Finding {
  const { sentence, advice, fix }: Row = KINDS[kind];
  const fill = (text: string) =>
    text.replace(/\{(\w+)\}/g, (_all, word: string) => {
      const value = words[word];
      if (value === undefined) throw new RangeError(`${kind} needs the word ${word}`);
      return String(value);
    });
  return { kind, subject, sentence: fill(sentence), advice: fill(advice), fix };
}
