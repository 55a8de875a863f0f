/** A door between the daemon and a real service that a test can close: connections are refused and cut. */
import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net';
import { Transform } from 'node:stream';

export interface Door {
  open(): void;
  close(): void;
  isOpen(): boolean;
  /** How often `text` was sent through towards the service. */
  sent(text: string): number;
  /**
   * The next requests that hold `text` reach the service and are answered, and the answer is lost: the connection is
   * cut. Resolves when that has happened `times` times.
   */
  loseReplies(text: string, times: number): Promise<void>;
  /** Resolves when so many requests that hold `text` were sent through; the answer of the last one is not back. */
  nextSent(text: string, times?: number): Promise<void>;
  /** The next request that holds `text` stays in the door. Resolves when it is there; what it gives lets it through. */
  hold(text: string): Promise<() => void>;
  /** Connections are cut, and each new one is spoiled so: null is no more. */
  spoil(how: Spoiled | null): void;
  /** In new connections the service seems to say `by` where it says `text`: as many bytes, as its messages tell their length. */
  rewrite(text: string, by: string): void;
  end(): Promise<void>;
}

/** Each answer is late; or a page comes instead of it, with this status; or it ends after so many bytes. */
export type Spoiled = { lateMs: number } | { page: string; status: number } | { bytes: number };

/** Listens at `at` and carries everything to `to`, while open. */
export async function openDoor(
  at: { path: string } | { host: string; port: number },
  to: NetConnectOpts,
): Promise<Door> {
  const sockets = new Set<Socket>();
  let isOpen = true;
  let traffic = '';
  let losing: { text: string; left: number; done(): void } | null = null;
  let watching: { text: string; left: number; seen(): void } | null = null;
  let spoiled: Spoiled | null = null;
  let rewriting: { text: string; by: string } | null = null;
  let holding: { text: string; held(letThrough: () => void): void } | null = null;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // The other end sees the connection close; that is the point.
    socket.on('error', () => socket.destroy());
  };
  // Who has said all may still be listening: the engine's streams are used so.
  const server = createServer({ allowHalfOpen: true }, (client) => {
    keep(client);
    if (!isOpen) {
      client.destroy();
      return;
    }
    if (spoiled && 'page' in spoiled) {
      const { page, status } = spoiled;
      const head = `HTTP/1.1 ${status} Odd\r\ncontent-type: text/html\r\ncontent-length: ${Buffer.byteLength(page)}`;
      client.once('data', () => client.end(`${head}\r\nconnection: close\r\n\r\n${page}`));
      return;
    }
    const service = connect({ ...to, allowHalfOpen: true });
    keep(service);
    let request = '';
    let counted = false;
    client.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      traffic += text;
      request += text;
      if (watching && !counted && request.includes(watching.text)) {
        counted = true;
        watching.left--;
        if (watching.left === 0) {
          watching.seen();
          watching = null;
        }
      }
      if (!holding || !request.includes(holding.text)) {
        service.write(chunk);
        return;
      }
      client.pause();
      holding.held(() => {
        service.write(chunk);
        client.resume();
      });
      holding = null;
    });
    client.on('end', () => service.end());
    service.on('data', () => {
      const asked = request;
      request = '';
      counted = false;
      if (!losing || !asked.includes(losing.text)) return;
      losing.left--;
      // Before the pipe below gets hold of it.
      client.destroy();
      if (losing.left > 0) return;
      losing.done();
      losing = null;
    });
    if (spoiled) pass(service, client, spoiled);
    else if (rewriting) service.pipe(reworded(rewriting)).pipe(client);
    else service.pipe(client);
    client.on('close', () => service.destroy());
    if (!spoiled && !rewriting) service.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, resolve);
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  function pass(service: Socket, client: Socket, how: Exclude<Spoiled, { page: string }>): void {
    let passed = 0;
    service.on('data', (chunk) => {
      if ('lateMs' in how) {
        setTimeout(() => client.write(chunk), how.lateMs);
        return;
      }
      const rest = chunk.subarray(0, Math.max(0, how.bytes - passed));
      passed += chunk.length;
      if (passed < how.bytes) client.write(rest);
      else client.write(rest, () => client.destroy());
    });
    service.on('end', () => setTimeout(() => client.end(), 'lateMs' in how ? how.lateMs : 0));
  }
  return {
    open() {
      isOpen = true;
    },
    close() {
      isOpen = false;
      cut();
    },
    isOpen: () => isOpen,
    sent: (text) => traffic.split(text).length - 1,
    loseReplies: (text, times) =>
      new Promise((done) => {
        losing = { text, left: times, done };
      }),
    nextSent: (text, times = 1) =>
      new Promise((seen) => {
        watching = { text, left: times, seen };
      }),
    hold: (text) =>
      new Promise((held) => {
        holding = { text, held };
      }),
    spoil(how) {
      spoiled = how;
      cut();
    },
    rewrite(text, by) {
      if (text.length !== by.length) throw new RangeError('the texts are not of one length');
      rewriting = { text, by };
    },
    async end() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function reworded({ text, by }: { text: string; by: string }): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, chunk.includes(text) ? Buffer.from(chunk.toString('latin1').replaceAll(text, by), 'latin1') : chunk);
    },
  });
}
