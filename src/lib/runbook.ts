/** Which page of compose/RUNBOOK.md tells what to do about an error: by its code, or by how the code begins. */

const PAGES: readonly (readonly [code: string, page: string])[] = [
  ['config.', 'the-daemon-does-not-start'],
  ['data.', 'the-daemon-does-not-start'],
  ['http.', 'the-daemon-does-not-start'],
  ['store.locked', 'two-daemons'],
  ['scope.copied', 'two-daemons'],
  ['scope.', 'the-scope-belongs-to-another-daemon'],
  ['key.', 'secretkey-is-missing-or-another-one'],
  ['master.gone_back', 'the-master-was-restored-from-a-backup'],
  ['master.other_database', 'the-master-was-restored-from-a-backup'],
  ['master.', 'two-daemons'],
  ['odoo.', 'the-master-is-away'],
  ['poll.', 'the-master-is-away'],
  ['store.no_slot', 'the-ports-are-taken'],
  ['store.ahead', 'the-master-was-restored-from-a-backup'],
  ['store.', 'the-store-is-lost-older-or-damaged'],
  ['letter.', 'a-paid-customer-is-not-served'],
  ['docker.unreachable', 'the-engine-is-away'],
  ['docker.timeout', 'the-engine-is-away'],
  ['docker.no_space', 'the-disk-is-full'],
  ['docker.port_taken', 'the-ports-are-taken'],
  ['docker.subnet_taken', 'the-ports-are-taken'],
  ['docker.', 'a-paid-customer-is-not-served'],
  ['instance.no_place', 'the-ports-are-taken'],
  ['instance.slot_taken', 'the-ports-are-taken'],
  ['instance.', 'a-paid-customer-is-not-served'],
  ['template.', 'a-paid-customer-is-not-served'],
  ['plan.', 'a-paid-customer-is-not-served'],
  ['egress.', 'a-paid-customer-is-not-served'],
  ['backup.no_space', 'the-disk-is-full'],
  ['backup.not_whole', 'a-backup-is-not-whole'],
  ['backup.damaged', 'a-backup-is-not-whole'],
  ['backup.', 'a-backup-cannot-be-made'],
  ['export.no_space', 'the-disk-is-full'],
  ['export.', 'a-final-copy-cannot-be-made'],
  ['self.', 'the-host-is-lost'],
  ['restore.', 'the-host-is-lost'],
  ['usage.', 'an-instance-cannot-be-measured'],
];

/** `compose/RUNBOOK.md#the-master-is-away`; null for what no page is about. The first row that fits counts. */
export function runbookPage(code: string): string | null {
  const page = PAGES.find(([begin]) => code === begin || (begin.endsWith('.') && code.startsWith(begin)))?.[1];
  return page === undefined ? null : `compose/RUNBOOK.md#${page}`;
}
