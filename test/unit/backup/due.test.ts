import { expect } from 'chai';
import fc from 'fast-check';
import { type BackupFacts, isNight, type Night, nextBackup, turnAfter } from '../../../src/backup/due.js';

const NIGHT: Night = { from: 60, to: 5 * 60, timeZone: 'Europe/Madrid' };
const HOUR = 3_600_000;
const MADE = new Date('2026-03-01T02:00:00Z');
const FACTS: BackupFacts = { key: 'sol:7', since: MADE, changed: true, asked: false, failures: 0, triedAt: null };

describe('the next backup', () => {
  it('is in the next night, in the turn of the instance', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.date({ min: new Date('2026-01-02'), max: new Date('2027-12-30'), noInvalidDate: true }),
        (id, since) => {
          const due = nextBackup({ ...FACTS, key: `sol:${id}`, since }, NIGHT);
          expect(due).instanceOf(Date);
          const hour = Number(
            new Intl.DateTimeFormat('en', { hour: 'numeric', hourCycle: 'h23', timeZone: 'Europe/Madrid' }).format(
              due as Date,
            ),
          );
          expect(hour).within(1, 5);
          expect(Number(due) - since.getTime())
            .above(0)
            .and.most(25 * HOUR);
        },
      ),
    );
  });

  it('is at another time for another instance: a thousand are spread over all of the night', () => {
    const turns = Array.from({ length: 1000 }, (_one, id) => turnAfter(MADE, `sol:${id}`, NIGHT).getTime());
    const slots = new Set(turns.map((turn) => Math.floor(turn / (10 * 60_000))));
    expect(slots.size).equal(24);
  });

  it('goes past midnight where the night does', () => {
    const late = { from: 22 * 60, to: 4 * 60, timeZone: 'UTC' };
    const hours = Array.from({ length: 200 }, (_one, id) => turnAfter(MADE, `sol:${id}`, late).getUTCHours());
    expect([...new Set(hours)].sort((a, b) => a - b)).deep.equal([0, 1, 2, 3, 22, 23]);
  });

  it('was due in the night that was slept through, and is not due twice', () => {
    const slept = nextBackup({ ...FACTS, since: new Date(MADE.getTime() - 80 * HOUR) }, NIGHT);
    expect(Number(slept)).below(MADE.getTime());
    expect(Number(nextBackup(FACTS, NIGHT))).above(MADE.getTime());
  });

  it('is none while nothing has changed, or where there is no night', () => {
    expect(nextBackup({ ...FACTS, changed: false }, NIGHT)).equal(null);
    expect(nextBackup(FACTS, null)).equal(null);
  });

  it('is at once where a person wants it', () => {
    expect(nextBackup({ ...FACTS, changed: false, asked: true }, null)).deep.equal(MADE);
  });

  it('is tried again ever more seldom after a failure, and at least every four hours', () => {
    const wait = (failures: number) => {
      const triedAt = new Date(MADE.getTime() + 1000 * HOUR);
      return Number(nextBackup({ ...FACTS, failures, triedAt }, NIGHT)) - triedAt.getTime();
    };
    expect([1, 2, 3, 30].map(wait)).deep.equal([300_000, 600_000, 1_200_000, 4 * HOUR]);
  });

  it('is at night, whether or not midnight is in it', () => {
    const at = (time: string, night: Night) =>
      isNight(new Date(`2026-03-01T${time}:00Z`), { ...night, timeZone: 'UTC' });
    expect(['00:59', '01:00', '04:59', '05:00'].map((time) => at(time, NIGHT))).deep.equal([false, true, true, false]);
    const late = { ...NIGHT, from: 22 * 60, to: 60 };
    expect(['21:59', '22:00', '00:59', '01:00'].map((time) => at(time, late))).deep.equal([false, true, true, false]);
  });
});
