import { expect } from 'chai';
import { dueRelease, isSameDatabase, releaseAtStart, releaseOf, versionOf } from '../../../src/instance/release.js';

const release = (odooImage: string, postgresImage: string) => ({ odooImage, postgresImage, addons: [] });
const PINNED = release('odoo:19.0', 'postgres:17');

describe('release', () => {
  for (const [image, version] of [
    ['odoo:19.0', '19.0'],
    ['odoo:19.0-20261101', '19.0'],
    ['postgres:17-bookworm', '17'],
    ['registry.example.com:5000/shop/postgres:17.2', '17.2'],
    ['postgres:17@sha256:0123456789abcdef', '17'],
    ['registry.example.com:5000/postgres', null],
    ['odoo', null],
    ['odoo:latest', null],
  ] as const) {
    it(`${image} is of ${version ?? 'an unknown version'}`, () => expect(versionOf(image)).equal(version));
  }

  it('of a plan is what the settings say, unless the plan says more', () => {
    expect(releaseOf({}, PINNED)).deep.equal(PINNED);
    expect(releaseOf({ release: { odooImage: 'odoo:18.0' } }, PINNED)).deep.equal(release('odoo:18.0', 'postgres:17'));
  });

  it('is not due while nothing differs', () => {
    expect(dueRelease(PINNED, { ...PINNED })).equal(null);
    expect(releaseAtStart(PINNED, { ...PINNED })).deep.equal(PINNED);
  });

  for (const [what, wanted, atNextStart] of [
    ['another build of the same versions', release('odoo:19.0-20261101', 'postgres:17.6'), true],
    ['another PostgreSQL', release('odoo:19.0', 'postgres:18'), false],
    ['another Odoo', release('odoo:20.0', 'postgres:17'), false],
    ['an older PostgreSQL', release('odoo:19.0', 'postgres:16'), false],
    ['an Odoo of an unknown version', release('odoo:latest', 'postgres:17'), false],
    ['an image of another name, and of the same version', release('shop/odoo:19.0', 'shop/postgres:17'), true],
  ] as const) {
    it(`${what} is ${atNextStart ? 'taken at the next start' : 'never taken by itself'}`, () => {
      expect(dueRelease(PINNED, wanted)?.atNextStart).equal(atNextStart);
      expect(releaseAtStart(PINNED, wanted)).deep.equal(atNextStart ? wanted : PINNED);
    });
  }

  it('tells why a PostgreSQL of another major version is refused', () => {
    expect(dueRelease(PINNED, release('odoo:19.0', 'postgres:18'))?.reason).equal(
      'PostgreSQL 17 to 18 is a major version: its data has to be upgraded first, so it keeps odoo:19.0 and postgres:17.',
    );
  });

  it('has the same kind of database within a major version', () => {
    expect(isSameDatabase(PINNED, release('odoo:20.0', 'postgres:17.2'))).equal(true);
    expect(isSameDatabase(PINNED, release('odoo:19.0', 'postgres:18'))).equal(false);
  });
});
