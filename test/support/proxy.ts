/** A door between the daemon and a real service that a test can close: connections are refused and cut. */
import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net';

export interface Door {
  open(): void;
  close(): void;
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
  end(): Promise<void>;
}

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
    service.pipe(client);
    client.on('close', () => service.destroy());
    service.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, resolve);
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    open() {
      isOpen = true;
    },
    close() {
      isOpen = false;
      cut();
    },
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
    async end() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
