/** What staff do with an instance in the master: its buttons, its dialogs, and what they find afterwards. */
import { type Record as SaasRecord, userOf } from '../../compose/demo/records.js';
import type { OdooClient } from '../../src/odoo/client.js';
import { until, type World } from './world.js';

/** As the web client of a Spanish colleague sends it along. */
export const SPANISH = { context: { lang: 'es_ES' } };

/** May give commands. Close it. */
export function managerOf({ master }: World): OdooClient {
  return userOf(master, master.manager_login, master.manager_password);
}

/** May look at instances, and sells. Close it. */
export function salesOf({ master }: World): OdooClient {
  return userOf(master, master.sales_login, master.sales_password);
}

type Target = Pick<SaasRecord, 'id'>;

export async function pressButton(client: OdooClient, { id }: Target, button: string): Promise<unknown> {
  return client.call('saas.instance', button, [[id]], SPANISH);
}

/** Opens the dialog of a button and fills it in; gives its id. */
export async function openDialog(
  client: OdooClient,
  record: Target,
  button: string,
  answers: Record<string, unknown>,
): Promise<number> {
  const { context } = (await pressButton(client, record, button)) as { context: Record<string, unknown> };
  return (await client.call('saas.command.wizard', 'create', [answers], {
    context: { ...SPANISH.context, ...context },
  })) as number;
}

/** Opens the dialog of a button, fills it in and confirms it. */
export async function confirmDialog(
  client: OdooClient,
  record: Target,
  button: string,
  answers: Record<string, unknown>,
): Promise<void> {
  const dialog = await openDialog(client, record, button, answers);
  await client.call('saas.command.wizard', 'action_confirm', [[dialog]], SPANISH);
}

/** Plan and use, as the form of an instance shows them. */
export interface UseRow {
  plan_id: [number, string];
  users_used: number;
  storage_used_mb: number;
  modules_installed: string | false;
  measured_on: string | false;
  storage_over_since: string | false;
  over_limit: boolean;
}

export async function useOf(client: OdooClient, { id }: Target): Promise<UseRow> {
  const fields = ['plan_id', 'users_used', 'storage_used_mb', 'modules_installed', 'measured_on'];
  const [row] = (await client.call('saas.instance', 'read', [
    [id],
    [...fields, 'storage_over_since', 'over_limit'],
  ])) as UseRow[];
  if (!row) throw new Error(`the record ${id} is gone`);
  return row;
}

/** A row in the list of commands on the form of an instance. */
export interface CommandRow {
  command: string;
  state: string;
  reason: string | false;
  details: string | false;
  message: string | false;
  requested_by: [number, string];
  requested_on: string;
  done_on: string | false;
}

/** The commands of an instance, oldest first. */
export async function commandsOf(client: OdooClient, { id }: Target): Promise<CommandRow[]> {
  const [instance] = (await client.call('saas.instance', 'read', [[id], ['command_ids']])) as {
    command_ids: number[];
  }[];
  return (await client.call('saas.command', 'search_read', [[['id', 'in', instance?.command_ids ?? []]]], {
    fields: ['command', 'state', 'reason', 'details', 'message', 'requested_by', 'requested_on', 'done_on'],
    order: 'id',
  })) as CommandRow[];
}

/** The newest command of an instance, once it is answered. */
export function answered(client: OdooClient, record: Target, command: string): Promise<CommandRow> {
  return until(`the answer to ${command}`, async () => {
    const newest = (await commandsOf(client, record)).at(-1);
    return newest?.command === command && newest.state !== 'pending' && newest;
  });
}

/** The open to-dos on a document, oldest first. */
export async function todosOn(
  client: OdooClient,
  model: string,
  id: number,
): Promise<{ note: string; user_id: [number, string] }[]> {
  const domain = [
    ['res_model', '=', model],
    ['res_id', '=', id],
  ];
  return (await client.call('mail.activity', 'search_read', [domain], {
    fields: ['note', 'user_id'],
    order: 'id',
  })) as { note: string; user_id: [number, string] }[];
}

/** The message with which a call is refused. @throws Error when it is not. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  const done = await call.then(
    () => true,
    (error: Error) => error.message,
  );
  if (done === true) throw new Error('it was not refused');
  return String(done);
}
