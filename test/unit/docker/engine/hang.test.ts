import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { createEngine, type Engine } from '../../../../src/docker/engine/engine.js';
import { RetryableError } from '../../../../src/lib/errors.js';
import { until } from '../../reconcile/support.js';

/** One call of each method. */
const CALLS: { [Method in Exclude<keyof Engine, 'stop' | 'run'>]: (engine: Engine) => Promise<unknown> } = {
  ping: (engine) => engine.ping(),
  imageId: (engine) => engine.imageId('odoo:19.0'),
  createContainer: (engine) => engine.createContainer({ name: 'x' }),
  startContainer: (engine) => engine.startContainer('x'),
  stopContainer: (engine) => engine.stopContainer('x', 0),
  removeContainer: (engine) => engine.removeContainer('x'),
  waitForExit: (engine) => engine.waitForExit('x', 50),
  inspectContainer: (engine) => engine.inspectContainer('x'),
  listContainers: (engine) => engine.listContainers(['a=b']),
  rootDir: (engine) => engine.rootDir(),
  fileChangedAt: (engine) => engine.fileChangedAt('x', '/y'),
  putArchive: (engine) => engine.putArchive('x', '/', Buffer.from('x')),
  updateContainer: (engine) => engine.updateContainer('x', { memoryBytes: 1, cpus: 1 }),
  attach: (engine) => engine.attach('x'),
  attachStreams: (engine) => engine.attachStreams('x'),
  logs: (engine) => engine.logs('x'),
  memoryBytes: (engine) => engine.memoryBytes('x'),
  ensureVolume: (engine) => engine.ensureVolume('x', {}),
  volumeLabels: (engine) => engine.volumeLabels('x'),
  listVolumes: (engine) => engine.listVolumes(['a=b']),
  removeVolume: (engine) => engine.removeVolume('x'),
  createNetwork: (engine) => engine.createNetwork('x', {}),
  listNetworks: (engine) => engine.listNetworks(['a=b']),
  connectNetwork: (engine) => engine.connectNetwork('net', 'x'),
  removeNetwork: (engine) => engine.removeNetwork('x'),
  events: (engine) => engine.events(['a=b'], ['die'], () => undefined),
};

describe('an engine that hangs', () => {
  let dir: string;
  let server: Server;
  let engine: Engine;
  const sockets = new Set<Socket>();

  before(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'saas-hang-'));
    const socketPath = path.join(dir, 'engine.sock');
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
      // It takes the request and never answers.
      socket.resume();
    });
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    engine = createEngine({ socketPath, timeoutMs: 50 });
  });
  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(dir, { recursive: true });
  });

  for (const [method, call] of Object.entries(CALLS)) {
    it(`is left at the deadline with no connection open: ${method}`, async () => {
      const error = await call(engine).catch((thrown: unknown) => thrown);
      expect(error).instanceOf(RetryableError).property('code', 'docker.timeout');
      await until(() => sockets.size === 0);
    });
  }
});
