import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { type EngineEvent, readEvents } from '../../../../src/docker/engine/events.js';

describe('events of the engine', () => {
  const line = (action: string, labels: Record<string, string> = { 'saas.key': 'sol:1' }) =>
    `${JSON.stringify({ Type: 'container', Action: action, Actor: { ID: 'x', Attributes: labels } })}\n`;

  it('are read however the lines are cut', async () => {
    const connection = new PassThrough();
    const seen: EngineEvent[] = [];
    const { ended } = readEvents(connection, (event) => seen.push(event));
    const text = line('die') + line('start', { 'saas.key': 'sol:ñ' });
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += 7) connection.write(bytes.subarray(at, at + 7));
    connection.end();
    await ended;
    expect(seen).deep.equal([
      { action: 'die', labels: { 'saas.key': 'sol:1' } },
      { action: 'start', labels: { 'saas.key': 'sol:ñ' } },
    ]);
  });

  it('leave out what is none', async () => {
    const connection = new PassThrough();
    const seen: EngineEvent[] = [];
    const { ended } = readEvents(connection, (event) => seen.push(event));
    connection.end(`garbage\n{}\n{"Action":7}\n\n${line('die', {})}{"Action":"cut`);
    await ended;
    expect(seen).deep.equal([{ action: 'die', labels: {} }]);
  });

  it('end with the connection, also where it breaks', async () => {
    const connection = new PassThrough();
    const { ended, close } = readEvents(connection, () => undefined);
    connection.destroy(new Error('ECONNRESET'));
    await ended;
    close();
  });
});
