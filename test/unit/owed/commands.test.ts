import { expect } from 'chai';
import type { CommandName } from '../../../src/instance/command.js';
import type { Desired } from '../../../src/instance/types.js';
import { answerTo } from '../../../src/owed/commands.js';

describe('the answer to a command', () => {
  const running: Desired = { state: 'running', cause: null, reason: 'It is paid.' };
  const down = (cause: Desired['cause']): Desired => ({ state: 'suspended', cause, reason: 'It was not paid.' });
  const cases: [string, CommandName, Desired, string, RegExp, RegExp][] = [
    ['started', 'start', running, 'done', /^The instance is running\.$/, /^La instancia está en marcha\.$/],
    ['unpaid', 'start', down('unpaid'), 'refused', /Register the payment/, /Registre el pago/],
    ['taken back', 'resume', down('taken_back'), 'refused', /Sell it again/, /Véndala de nuevo/],
    ['over its storage', 'rebuild', down('storage'), 'refused', /Change its plan/, /Cambie el plan/],
    ['held', 'restart', down('staff'), 'refused', /^It does not run/, /el personal la detuvo/],
    ['rebuilt', 'rebuild', running, 'done', /made anew/, /reconstruido/],
    ['that wakes it up', 'extend', down('unpaid'), 'done', /^The time was added\.$/, /^Se ha ampliado el plazo\.$/],
    [
      'that wakes it up',
      'change_plan',
      down('storage'),
      'done',
      /^The plan was changed\.$/,
      /^Se ha cambiado el plan\.$/,
    ],
    ['held', 'extend', down('staff'), 'done', /added\. It stays down/, /plazo\. Sigue parada/],
    ['held', 'change_plan', down('staff'), 'done', /changed\. It stays down/, /plan\. Sigue parada/],
  ];
  for (const [what, command, desired, result, en, es] of cases) {
    it(`${command}, ${what}: ${result}`, () => {
      const answer = answerTo(command, desired);
      expect(answer.result).to.equal(result);
      expect(answer.message.en).to.match(en);
      expect(answer.message.es).to.match(es);
    });
  }
});
