import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';
import { RetryableError, TerminalError } from '../../../src/lib/errors.js';
import { createLog, errorFields, type LogOptions } from '../../../src/lib/logger.js';
import { Secret } from '../../../src/lib/secret.js';

/** A stream that keeps what is written, on request as a terminal. */
function sink(isTTY = false) {
  const chunks: string[] = [];
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  return { stream: Object.assign(stream, { isTTY }) as unknown as NodeJS.WriteStream, text: () => chunks.join('') };
}

async function written(options: Partial<LogOptions>, isTTY: boolean, use: (log: ReturnType<typeof createLog>) => void) {
  const { stream, text } = sink(isTTY);
  const log = createLog({ level: 'info', format: 'auto', file: null, env: {}, stream, ...options });
  use(log);
  await log.close();
  return text();
}

describe('log', () => {
  it('writes one JSON object a line where no terminal is', async () => {
    const text = await written({}, false, (log) => {
      log.info('instance.provisioned', 'acme runs.', { instance: 'acme', durationMs: 12, paid: true });
      log.error('poll.failed', 'No answer.', { error: 'a\nb' });
    });
    const [first, second, ...rest] = text.trimEnd().split('\n');
    expect(rest).empty;
    const line = JSON.parse(first ?? '');
    expect(Object.keys(line)).deep.equal(['time', 'level', 'event', 'message', 'instance', 'durationMs', 'paid']);
    expect(line).include({ level: 'info', event: 'instance.provisioned', message: 'acme runs.', durationMs: 12 });
    expect(new Date(line.time).toISOString()).equal(line.time);
    expect(JSON.parse(second ?? '')).include({ level: 'error', error: 'a\nb' });
  });

  it('leaves out what is below its level', async () => {
    const text = await written({ level: 'warn' }, false, (log) => {
      log.debug('a', 'no');
      log.info('b', 'no');
      log.warn('c', 'yes');
    });
    expect(text.trimEnd().split('\n')).length(1);
  });

  const ESC = '\u001b[';
  const colours: { when: string; options: Partial<LogOptions>; tty: boolean; coloured: boolean }[] = [
    { when: 'on a terminal', options: {}, tty: true, coloured: true },
    { when: 'on a terminal with NO_COLOR', options: { env: { NO_COLOR: '1' } }, tty: true, coloured: false },
    { when: 'in a pipe', options: { format: 'pretty' }, tty: false, coloured: false },
  ];
  for (const { when, options, tty, coloured } of colours) {
    it(`is readable ${when}, ${coloured ? 'with' : 'without'} colours`, async () => {
      const text = await written(options, tty, (log) =>
        log.warn('disk.low', 'Little room.', { left: 3, where: 'a b', none: undefined, stack: 'long' }),
      );
      expect(text.includes(ESC)).equal(coloured);
      const plain = stripVTControlCharacters(text);
      expect(plain).match(/^\d\d:\d\d:\d\d {2}warn {3}disk\.low {2}Little room\. {2}left=3 where="a b"\n$/);
    });
  }

  it('lets no name of a customer move the cursor, turn the line round or start one of its own', async () => {
    const hostile = 'A\u001b[2Jc\u009b31m\u007fm\ne\r\u2028x\u202ey\u0000';
    const text = await written({ format: 'pretty' }, false, (log) =>
      log.info('instance.created', hostile, { customer: hostile, nested: { customer: hostile } }),
    );
    expect(text.slice(0, -1)).not.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(text).match(/[^\n]\n$/);
  });

  for (const format of ['json', 'pretty'] as const) {
    it(`never shows a secret (${format})`, async () => {
      const key = new Secret('hunter2');
      const text = await written({ format }, false, (log) => log.info('a.b', `key ${key}`, { key, deep: { key } }));
      expect(text).contain('[redacted]').not.contain('hunter2');
    });
  }

  it('shows dates and secrets without a second pair of quotes', async () => {
    const text = await written({ format: 'pretty' }, false, (log) =>
      log.info('a.b', 'x', { at: new Date(0), key: new Secret('x') }),
    );
    expect(text).contain('at=1970-01-01T00:00:00.000Z key="[redacted]"');
  });

  it('tells of a thrown thing what went wrong and what to do', () => {
    const known = new RetryableError('odoo.away', 'no\n  answer', 'Start it.');
    expect(errorFields(known)).deep.equal({
      ...{ code: 'odoo.away', error: 'no answer', advice: 'Start it.' },
      more: 'compose/RUNBOOK.md#the-master-is-away',
    });
    expect(errorFields('text')).deep.equal({ error: 'text' });
    const unknown = errorFields(new TypeError('bad'));
    expect(unknown).property('error', 'bad');
    expect(unknown.stack).match(/logger\.test/);
  });

  describe('in a file', () => {
    let dir: string;
    beforeEach(() => {
      dir = mkdtempSync(path.join(tmpdir(), 'saas-log-'));
    });
    afterEach(() => rmSync(dir, { recursive: true }));

    it('has every line when close resolves, after those of an earlier run', async () => {
      const file = path.join(dir, 'deep', 'bridge.log');
      for (const run of [1, 2]) {
        await written({ file, format: 'pretty' }, false, (log) => {
          for (let line = 0; line < 500; line++) log.info('a.b', 'x'.repeat(200), { run, line });
        });
      }
      const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
      expect(lines).length(1000);
      expect(JSON.parse(lines.at(-1) ?? '')).include({ run: 2, line: 499 });
      expect(statSync(file).mode & 0o007).equal(0);
    });

    it('is refused at once when it cannot be written', () => {
      expect(() => createLog({ level: 'info', format: 'auto', file: dir }))
        .throw(TerminalError, /^SAAS_LOG_FILE: .* cannot be written \(EISDIR/)
        .property('code', 'config.log_file');
    });
  });
});
