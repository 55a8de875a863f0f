/**
 * A page in place of each instance that is down, on the instance's own port. Level-based: a door follows the state of its
 * instance. What is to start needs the port, whoever's door is on it: it is given back by port, and nothing of ours keeps it.
 */
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Front } from '../instance/ports.js';
import type { Paused } from '../instance/types.js';
import { messageOf } from '../lib/errors.js';
import { errorFields, type Log } from '../lib/logger.js';
import { createPausedApp } from './app.js';
import { createWaking } from './waking.js';

/** An engine may say that a container has stopped a moment before it gives its port back. */
const TRIES = 5;
const PAUSE_MS = 200;
/** One answer a connection, given at once: whoever takes longer has no use for it. */
const LONGEST_CONNECTION_MS = 15_000;
const MOST_CONNECTIONS_OF_ONE = 100;
/** Visitors of the customers' sites must not use up what the daemon itself needs. */
const MOST_CONNECTIONS = 1000;
const DAY_MS = 86_400_000;

export interface DoorsParts {
  /** The address of this host on which instances are published. */
  address: string;
  /** Null for an instance that is not down. */
  pausedOf(key: string): Paused | null;
  /** Asks for one that sleeps to be started. */
  wake(key: string): void;
  log: Log;
}

interface Door {
  key: string;
  server: Server;
  /** Visitors who wait until it is awake. */
  waiting: number;
}

export function createDoors({ address, pausedOf, wake, log }: DoorsParts): Front {
  const doors = new Map<number, Door>();
  /** The ports of the doors, by instance: one that is deleted has no port any more. */
  const ports = new Map<string, number>();
  const turns = new Map<number, Promise<void>>();
  let connections = 0;
  let stopped = false;

  const waking = createWaking({ wake, isAwake: (key) => pausedOf(key) === null });
  const app = createPausedApp(
    (port) => {
      const door = doors.get(port);
      return door ? pausedOf(door.key) : null;
    },
    async (port) => {
      const door = doors.get(port);
      if (!door) return false;
      door.waiting++;
      return waking(door.key).finally(() => door.waiting--);
    },
  );

  /** One after the other on each port: what is just being opened can be closed. */
  function inTurn(port: number, work: () => Promise<void>): Promise<void> {
    const turn = (turns.get(port) ?? Promise.resolve()).then(work).finally(() => {
      if (turns.get(port) === turn) turns.delete(port);
    });
    turns.set(port, turn);
    return turn;
  }

  /** @param isShown whether its page is wanted, on the port that it has now. */
  async function follow(key: string, isShown: boolean): Promise<void> {
    try {
      const port = isShown ? pausedOf(key)?.port : undefined;
      const before = ports.get(key);
      if (before !== undefined && before !== port) await closeInTurn(before);
      if (port !== undefined) await inTurn(port, () => open(key, port));
    } catch (error) {
      log.error('page.failed', 'The page of an instance that is down could not be opened or closed.', {
        key,
        ...errorFields(error),
      });
    }
  }

  async function open(key: string, port: number): Promise<void> {
    if (stopped || doors.get(port)?.key === key) return;
    const paused = pausedOf(key);
    if (paused?.port !== port) return;
    await close(port);
    // Node would look through the connections of each server twice a minute; ours end by themselves.
    const server = createServer({ connectionsCheckingInterval: DAY_MS }, app);
    server.maxConnections = MOST_CONNECTIONS_OF_ONE;
    server.on('connection', admit);
    const error = await listen(server, port, address);
    if (error) {
      log.warn('page.not_shown', `${paused.name} is down and its page cannot be shown: ${messageOf(error)}.`, {
        instance: paused.name,
        port,
        advice: adviceOn(error),
      });
      return;
    }
    server.on('error', (late) => log.debug('page.error', messageOf(late), { port }));
    doors.set(port, { key, server, waiting: 0 });
    ports.set(key, port);
    log.debug('page.opened', `${paused.name} is down: port ${port} says so.`, { instance: paused.name, port });
  }

  function admit(socket: Socket): void {
    connections++;
    const timer = setTimeout(() => socket.destroy(), LONGEST_CONNECTION_MS);
    socket.once('close', () => {
      connections--;
      clearTimeout(timer);
    });
    if (connections > MOST_CONNECTIONS) socket.destroy();
  }

  async function close(port: number): Promise<void> {
    const door = doors.get(port);
    if (!door) return;
    doors.delete(port);
    ports.delete(door.key);
    if (door.waiting > 0 && !stopped) {
      // They are sent to the Odoo when it is there; the port is free at once.
      door.server.close();
      door.server.closeIdleConnections();
    } else {
      await new Promise((resolve) => {
        door.server.close(resolve);
        door.server.closeAllConnections();
      });
    }
    log.debug('page.closed', `Port ${port} is free for its instance.`, { port });
  }

  const closeInTurn = (port: number) => inTurn(port, () => close(port));

  return {
    show: (key) => follow(key, true),
    hide: (key) => follow(key, false),
    // An instance is reached on its own port.
    route: () => undefined,
    sweep: () => undefined,
    release: ({ httpPort }) => closeInTurn(httpPort),
    async stop() {
      stopped = true;
      await Promise.all([...doors.keys(), ...turns.keys()].map(closeInTurn));
    },
  };
}

/** Null once it listens, else why it does not. */
async function listen(server: Server, port: number, address: string): Promise<NodeJS.ErrnoException | null> {
  for (let tries = 1; ; tries++) {
    const error = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
      server.once('error', resolve);
      server.listen(port, address, () => {
        server.off('error', resolve);
        resolve(null);
      });
    });
    if (error?.code !== 'EADDRINUSE' || tries === TRIES) return error;
    await sleep(PAUSE_MS);
  }
}

function adviceOn({ code }: NodeJS.ErrnoException): string {
  if (code === 'EADDRINUSE') {
    return 'Nothing if the instance is just being started; else end the program that has the port (ss -tanp). It is tried again when the instance is next looked at.';
  }
  if (code === 'EADDRNOTAVAIL') {
    return 'Set SAAS_BIND_ADDRESS to an address of this host, and run the daemon in the network of the host (network_mode: host).';
  }
  return 'It is tried again when the instance is next looked at.';
}
