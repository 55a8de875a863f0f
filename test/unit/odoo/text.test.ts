import { expect } from 'chai';
import { excerpt, oneLine, stripControls, stripXmlForbidden } from '../../../src/odoo/text.js';
import { fromOdooTime, toOdooTime } from '../../../src/protocol/time.js';

describe('text', () => {
  it('keeps what XML can carry', () => {
    expect(stripXmlForbidden('a\u0000\u000b\u001f\ufffe\uffffb')).to.equal('ab');
    expect(stripXmlForbidden('\t\r\n é 🙂 \u0085')).to.equal('\t\r\n é 🙂 \u0085');
    expect(stripXmlForbidden('x\ud83dy\ude42z')).to.equal('xyz');
  });

  it('makes one line, cut between characters as people see them', () => {
    expect(oneLine(' a\r\n\tb\u2028c\u202e ')).to.equal('a b c');
    expect(oneLine('👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 2)).to.equal('👩‍👩‍👧‍👦…');
    expect(oneLine('abc', 3)).to.equal('abc');
  });

  it('strips controls only', () => expect(stripControls('p w\n\u0007d')).to.equal('p wd'));
  it('makes an excerpt', () => expect(excerpt(' a\n\n b ', 3)).to.equal('a b'));
});

describe('time', () => {
  it('goes to Odoo and back', () => {
    const date = new Date('2026-11-22T12:00:00Z');
    expect(toOdooTime(date)).to.equal('2026-11-22 12:00:00');
    expect(fromOdooTime('2026-11-22 12:00:00')).to.deep.equal(date);
    expect(fromOdooTime('2026-11-22 12:00:00.250')?.getTime()).to.equal(date.getTime() + 250);
  });

  for (const bad of ['', '2026-11-22', '2026-11-22T12:00:00', '2026-02-31 00:00:00', '2026-99-01 00:00:00'])
    it(`"${bad}" is no time`, () => expect(fromOdooTime(bad)).to.equal(null));

  it('refuses an invalid date', () => expect(() => toOdooTime(new Date(Number.NaN))).to.throw('invalid date'));
});
