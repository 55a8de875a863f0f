import { expect } from 'chai';
import type { CommandName } from '../../../src/instance/command.js';
import type { Desired } from '../../../src/instance/types.js';
import { answerTo } from '../../../src/owed/commands.js';
import type { Sentence } from '../../../src/protocol/sentences.js';

describe('the answer to a command', () => {
  const running: Desired = { state: 'running', cause: null, reason: 'It is paid.' };
  const down = (cause: Desired['cause']): Desired => ({ state: 'suspended', cause, reason: 'It was not paid.' });
  const ENDED = new Date('2026-01-16T23:30:00Z');
  const cases: [string, CommandName, Desired, Date | null, 'done' | 'refused', Sentence][] = [
    ['started', 'start', running, null, 'done', { code: 'now_running', params: {} }],
    [
      'unpaid',
      'start',
      down('unpaid'),
      ENDED,
      'refused',
      { code: 'down_unpaid', params: { paid_until: '2026-01-16 23:30:00' } },
    ],
    ['never paid', 'start', down('unpaid'), null, 'refused', { code: 'down_never_paid', params: {} }],
    ['taken back', 'resume', down('taken_back'), null, 'refused', { code: 'down_taken_back', params: {} }],
    ['over its storage', 'rebuild', down('storage'), ENDED, 'refused', { code: 'down_storage', params: {} }],
    ['held', 'restart', down('staff'), ENDED, 'refused', { code: 'down_held', params: {} }],
    ['suspended', 'suspend', down('staff'), ENDED, 'done', { code: 'now_suspended', params: {} }],
    ['rebuilt', 'rebuild', running, ENDED, 'done', { code: 'containers_rebuilt', params: {} }],
    ['that wakes it up', 'extend', down('unpaid'), ENDED, 'done', { code: 'time_added', params: {} }],
    ['that wakes it up', 'change_plan', down('storage'), ENDED, 'done', { code: 'plan_changed', params: {} }],
    ['held', 'extend', down('staff'), ENDED, 'done', { code: 'time_added_held', params: {} }],
    ['held', 'change_plan', down('staff'), ENDED, 'done', { code: 'plan_changed_held', params: {} }],
  ];
  for (const [what, command, desired, paidUntil, result, message] of cases) {
    it(`${command}, ${what}: ${result}`, () => {
      expect(answerTo(command, desired, paidUntil)).to.deep.equal({ result, message });
    });
  }
});
