import { expect } from 'chai';
import { utc } from '../subscription/support.js';
import { type Harness, harness, KEY } from './harness.js';
import { bought } from './support.js';

const REMINDED = utc('2026-02-07T23:00');
const SUSPENDED = utc('2026-02-15T23:00');
const WARNED = utc('2026-03-03T23:00');
const DELETED = utc('2026-03-17T23:00');
const TEN_MINUTES = 600_000;

describe('the calendar', () => {
  let h: Harness;
  beforeEach(() => {
    h = harness();
    h.master.readAfresh = async () => undefined;
  });
  afterEach(() => h.remove());

  async function runs(...moments: Date[]): Promise<void> {
    await h.running();
    for (const moment of moments) await h.runAt(moment);
    h.owed();
    h.engine.taken();
  }

  describe('while the guard objects', () => {
    /** Nothing is done or mailed at the moment; it comes again, and is done when the guard consents. */
    async function waitsAt(moment: Date): Promise<void> {
      h.guard.mayAct = false;
      expect(await h.runAt(moment)).deep.equal(new Date(moment.getTime() + TEN_MINUTES));
      expect(h.engine.taken()).empty;
      expect(h.mails()).empty;
      h.guard.mayAct = true;
    }

    it('suspends nobody', async () => {
      await runs();
      await waitsAt(SUSPENDED);
      expect(h.instance()).include({ phase: 'running', suspendedAt: null });
      await h.run();
      expect(h.engine.taken()).deep.equal(['stopOdoo', 'stopDb']);
      expect(h.mails()).deep.equal(['suspended:2026-02-15T23:00:00Z']);
    });

    it('suspends nobody whose payment is found meanwhile', async () => {
      await runs();
      await waitsAt(SUSPENDED);
      h.test.store.purchases.save([bought({ key: 'sol:2', instanceKey: KEY, startsOn: utc('2026-02-14T20:00') })]);
      await h.run();
      expect(h.engine.taken()).empty;
      expect(h.mails().filter((key) => !key.startsWith('renewed'))).empty;
    });

    it('reminds nobody', async () => {
      await runs();
      await waitsAt(REMINDED);
      await h.run();
      expect(h.mails()).length(1);
    });

    it('warns nobody, and counts no warning as given', async () => {
      await runs(SUSPENDED);
      await waitsAt(WARNED);
      expect(h.instance().warnedAt).equal(null);
      await h.run();
      expect(h.mails()).length(1);
    });

    it('deletes nobody, and asks the master nothing', async () => {
      await runs(SUSPENDED, WARNED, utc('2026-03-10T23:00'), utc('2026-03-16T23:00'));
      let looks = 0;
      h.master.readAfresh = async () => {
        looks++;
      };
      await waitsAt(DELETED);
      expect(looks).equal(0);
      expect(h.instance().phase).equal('suspended');
      await h.run();
      expect(h.instance().phase).equal('deleted');
    });

    it('does not go on with a deletion that was begun', async () => {
      await runs(SUSPENDED, WARNED, utc('2026-03-10T23:00'), utc('2026-03-16T23:00'));
      h.test.now = DELETED;
      h.engine.failAfter(1, new Error('power cut'));
      await h.run().catch(() => undefined);
      h.owed();
      h.engine.taken();
      await waitsAt(utc('2026-03-18T10:00'));
      expect(h.instance().phase).equal('deleting');
      await h.run();
      expect(h.instance().phase).equal('deleted');
    });

    it('starts nothing that staff hold no longer and nobody pays', async () => {
      await runs();
      h.test.store.instances.update(KEY, { hold: 'stopped' });
      await h.run();
      h.owed();
      h.engine.taken();
      h.ask('start');
      h.test.store.instances.update(KEY, { hold: 'none' });
      h.guard.mayAct = false;
      await h.runAt(SUSPENDED);
      expect(h.engine.taken()).empty;
      expect(h.instance().phase).equal('stopped');
      expect(h.answers()[0]).nested.include({ result: 'refused', 'message.code': 'down_unpaid' });
      h.guard.mayAct = true;
      await h.run();
      expect(h.instance().phase).equal('suspended');
    });

    for (const [command, hold, phase] of [
      ['suspend', 'suspended', 'suspended'],
      ['delete', 'deleted', 'deleted'],
    ] as const) {
      it(`does what staff decide: ${command}`, async () => {
        await runs();
        h.guard.mayAct = false;
        h.ask(command);
        h.test.store.instances.update(KEY, { hold });
        await h.run();
        expect(h.instance().phase).equal(phase);
      });
    }

    it('makes and starts what is paid', async () => {
      h.guard.mayAct = false;
      h.add();
      await h.run();
      expect(h.instance().phase).equal('running');
      h.guard.mayAct = true;
      await h.runAt(SUSPENDED);
      h.engine.taken();
      h.guard.mayAct = false;
      h.test.store.purchases.save([bought({ key: 'sol:2', instanceKey: KEY, startsOn: utc('2026-02-16T09:00') })]);
      await h.runAt(utc('2026-02-16T09:00'));
      expect(h.engine.taken()).deep.equal(['startDb', 'startOdoo', 'awaitReady']);
    });
  });
});
