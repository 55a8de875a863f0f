import { expect } from 'chai';
import { mark, moment, table } from '../../../src/cli/output.js';

describe('output', () => {
  it('puts columns as wide as their widest cell, without trailing spaces', () => {
    expect(
      table([
        ['NAME', 'STATE', 'URL'],
        ['acme', 'running', 'http://a'],
        ['a-long-name', '-', ''],
      ]),
    ).equal('NAME         STATE    URL\nacme         running  http://a\na-long-name  -');
    expect(table([])).equal('');
  });

  it('shows a moment in a time zone', () => {
    const date = new Date('2026-12-22T23:05:00Z');
    expect(moment(date, 'UTC')).equal('2026-12-22 23:05');
    expect(moment(date, 'Europe/Madrid')).equal('2026-12-23 00:05');
    expect(moment(null, 'UTC')).equal('-');
  });

  const write = () => true;
  it('marks in colour on a terminal only', () => {
    expect(mark('ok', { write, isTTY: true }, {})).equal('\u001b[32mok   \u001b[0m');
    expect(mark('warn', { write, isTTY: true }, {})).equal('\u001b[33mwarn \u001b[0m');
    expect(mark('wrong', { write, isTTY: true }, {})).equal('\u001b[31mwrong\u001b[0m');
    expect(mark('wrong', { write, isTTY: true }, { NO_COLOR: '1' })).equal('wrong');
    expect(mark('ok', { write, isTTY: false }, {})).equal('ok   ');
  });
});
