/** A door between the daemon and a real service that a test can close: connections are refused and cut. */
import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net';

export interface Door {
  open(): void;
  close(): void;
  /** How often `text` was sent through towards the service. */
  sent(text: string): number;
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
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // The other end sees the connection close; that is the point.
    socket.on('error', () => socket.destroy());
  };
  const server = createServer((client) => {
    keep(client);
    if (!isOpen) {
      client.destroy();
      return;
    }
    const service = connect(to);
    keep(service);
    client.on('data', (chunk) => {
      traffic += chunk.toString('latin1');
    });
    client.pipe(service).pipe(client);
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
    async end() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
