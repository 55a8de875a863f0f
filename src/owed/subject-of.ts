/** What a write to the master is about, in a few words for the admin. Pure. */
import type { PushOperation } from '../protocol/push.js';

export function subjectOf(operation: PushOperation): string {
  switch (operation.op) {
    case 'instance':
      return 'record';
    case 'log':
      return 'lines of the log';
    case 'notice':
      return `mail: ${operation.notice}`;
    case 'todo': {
      const on = operation.purchase_key ? ` on ${operation.purchase_key}` : '';
      return `to-do${on}: ${operation.message.code}`;
    }
    case 'summary':
      return `message: ${operation.message.code}`;
    case 'command':
      return `answer to command ${operation.command_id}: ${operation.result}`;
  }
}
