/** Texts that people read: the log, messages, tables of the command line. */
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { type Out, plainOut, table } from '../../../src/cli/output.js';
import { messageOf, RetryableError } from '../../../src/lib/errors.js';
import { createLog, errorFields } from '../../../src/lib/logger.js';
import { oneLine } from '../../../src/odoo/text.js';
import { anything, text } from '../hostile.js';
import { holds, plainLine, same, target, UNPRINTABLE } from '../target.js';

export function textTargets(
  log: typeof createLog = createLog,
  message: typeof messageOf = messageOf,
  plain: typeof plainOut = plainOut,
) {
  const logged = target({
    name: 'log',
    share: 4,
    values: fc.record({
      message: text,
      fields: fc.dictionary(fc.constantFrom('instance', 'customer', 'order', 'nested', 'problems'), anything, {
        maxKeys: 3,
        noNullPrototype: true,
      }),
      format: fc.constantFrom('json' as const, 'pretty' as const),
    }),
    async check({ message: sentence, fields, format }) {
      const chunks: Buffer[] = [];
      const stream = new PassThrough();
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      const made = log({ level: 'info', format, file: null, env: {}, stream: stream as unknown as NodeJS.WriteStream });
      made.info('instance.created', sentence, fields);
      await made.close();
      const written = Buffer.concat(chunks).toString('utf8');
      holds('one line', written.endsWith('\n') && !UNPRINTABLE.test(written.slice(0, -1)), written);
      if (format === 'pretty') return;
      const { time, ...line } = JSON.parse(written);
      holds('a moment', new Date(time).toISOString() === time, time);
      const expected = { level: 'info', event: 'instance.created', message: sentence, ...fields };
      same('the line', line, JSON.parse(Buffer.from(JSON.stringify(expected), 'utf8').toString('utf8')));
    },
  });

  const messages = target({
    name: 'messages of errors',
    share: 12,
    values: fc.record({
      thrown: fc.oneof(
        text,
        fc.constantFrom(null, undefined, 0, false),
        text.map((it) => new Error(it)),
        text.map((it) => new RetryableError('a.b', it, 'x')),
      ),
      most: fc.integer({ min: 1, max: 80 }),
      line: text,
    }),
    check({ thrown, most, line }) {
      plainLine('a message', message(thrown), 500);
      same('the message in a log', errorFields(thrown).error, message(thrown));
      plainLine('a line', oneLine(line, most), most);
    },
  });

  const tables = target({
    name: 'tables',
    share: 8,
    values: fc.array(fc.array(text, { minLength: 2, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
    check(rows) {
      const lines = table(rows).split('\n');
      same('one line for each row', lines.length, rows.length);
      for (const line of lines) holds('a line of plain text', !UNPRINTABLE.test(line), line);
    },
  });
  const output = target({
    name: 'plain output',
    share: 8,
    values: fc.record({ said: text, more: fc.array(text, { maxLength: 3 }) }),
    check({ said, more }) {
      let written = '';
      const write = (part: string) => {
        written += part;
        return true;
      };
      const out = plain({ isTTY: true, write: write as Out['write'] });
      out.write(`\u001b[31mwrong\u001b[0m  ${said}\n`);
      const own = written.replace('\u001b[31mwrong\u001b[0m', '');
      // Ours are colours and ends of lines; of a stranger they are the same.
      holds(
        'nothing else that a terminal obeys',
        !UNPRINTABLE.test(
          ['0', '2', '31', '32', '33'].reduce(
            (left, code) => left.replaceAll(`\u001b[${code}m`, ''),
            own.replaceAll('\n', ''),
          ),
        ),
        own,
      );
      written = '';
      out.write(`${JSON.stringify({ more })}\n`);
      holds('one line of plain JSON', written.endsWith('}\n') && !UNPRINTABLE.test(written.slice(0, -1)), written);
      same('what the JSON says', JSON.parse(written), JSON.parse(JSON.stringify({ more })));
    },
  });
  return [logged, messages, tables, output];
}
