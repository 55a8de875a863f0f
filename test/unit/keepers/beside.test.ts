import { expect } from 'chai';
import { startBeside } from '../../../src/keepers/beside.js';
import { keptLog, until } from '../reconcile/support.js';

describe('the keeper of what is written beside the daemon', () => {
  it('wakes who looks at the store, and outlives a store that cannot be read', async () => {
    const answers: (boolean | Error)[] = [false, true, new Error('disk full')];
    let woken = 0;
    const log = keptLog();
    const store = {
      isChangedElsewhere() {
        const answer = answers.shift() ?? false;
        if (answer instanceof Error) throw answer;
        return answer;
      },
    };
    const loop = startBeside({ store, log, wakes: [{ wake: () => woken++ }, { wake: () => woken++ }] });
    await until(() => {
      loop.wake();
      return log.events().includes('store.unwatched');
    });
    expect(woken).equal(2);
    await loop.stop();
  });
});
