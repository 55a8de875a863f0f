import { PassThrough } from 'node:stream';
import { setImmediate as tick } from 'node:timers/promises';
import { expect } from 'chai';
import { attachmentOf, plainLog, streamsOf } from '../../../../src/docker/engine/streams.js';

const frame = (stream: number, text: string): Buffer => {
  const header = Buffer.alloc(8);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
};
const BYTES = Buffer.concat([frame(1, 'one'), frame(2, 'ERR'), frame(1, ''), frame(1, 'ñandú')]);

describe("a container's streams", () => {
  it('are the same however the bytes arrive', async () => {
    for (const size of [1, 3, 8, 9, 1000]) {
      const connection = new PassThrough();
      const { stdout, errors } = streamsOf(connection);
      for (let at = 0; at < BYTES.length; at += size) connection.write(BYTES.subarray(at, at + size));
      connection.end();
      expect(Buffer.concat(await stdout.toArray()).toString(), `by ${size}`).to.equal('oneñandú');
      expect(errors()).to.equal('ERR');
    }
    expect(plainLog(BYTES)).to.equal('oneERRñandú');
  });

  it('are let go of when they bring more than they may', async () => {
    const connection = new PassThrough();
    const { flooded, output } = attachmentOf(connection, 10, 100);
    connection.write(frame(1, 'x'.repeat(100)));
    await tick();
    expect(connection.destroyed).to.equal(false);
    connection.write(frame(2, 'more'));
    await flooded;
    expect(connection.destroyed).to.equal(true);
    expect(output()).to.equal('xxxxxxmore');
  });

  it('are read only as fast as they are used', async () => {
    const connection = new PassThrough({ highWaterMark: 1024 });
    const { stdout } = streamsOf(connection);
    let written = 0;
    while (connection.write(frame(1, 'x'.repeat(1016))) && written < 1e6) {
      written += 1024;
      await tick();
    }
    expect(written).to.be.lessThan(100_000);
    stdout.resume();
    await tick();
    await tick();
    expect(connection.writableNeedDrain).to.equal(false);
  });

  it('fail when the connection does, instead of ending early', async () => {
    const connection = new PassThrough();
    const { stdout } = streamsOf(connection);
    connection.write(frame(1, 'half'));
    setImmediate(() => connection.destroy());
    const failed = await stdout.toArray().then(
      () => 'ended',
      (error: Error) => error.message,
    );
    expect(failed).to.contain('was closed');
  });

  it('keep only the end of what nobody reads', async () => {
    const connection = new PassThrough();
    const attachment = attachmentOf(connection, 10);
    for (let line = 0; line < 1000; line++) connection.write(frame(1 + (line % 2), `line ${line}\n`));
    connection.end();
    await attachment.closed;
    expect(attachment.output()).to.equal('\nline 999\n');
  });
});
