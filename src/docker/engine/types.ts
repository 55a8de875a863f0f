/** What the engine takes and gives, in our words. */
import type { Intercept } from '../../lib/intercept.js';
import type { Stop } from '../../lib/stop.js';

export interface EngineOptions {
  /** Unix socket, e.g. `/var/run/docker.sock`. Without it and without `host`, dockerode's own rules (DOCKER_HOST). */
  socketPath?: string;
  host?: string;
  port?: number;
  protocol?: 'http' | 'https';
  ca?: string;
  cert?: string;
  key?: string;
  /** Deadline of one call to the engine, milliseconds (default 60,000). */
  timeoutMs?: number;
  /** Sees every call. */
  intercept?: Intercept;
  /** How the process stops; absent, it never does. */
  stop?: Stop;
}

export interface Volume {
  name: string;
  labels: Record<string, string>;
  createdAt: Date;
}

export interface Network {
  id: string;
  name: string;
  labels: Record<string, string>;
  subnet: string | null;
  createdAt: Date;
}

/** A network's addresses. */
export interface Subnet {
  /** e.g. `10.208.0.16/28` */
  range: string;
  gateway: string;
  /** From these the engine takes for who asks for none of its own. */
  dynamic: string;
}

/** What a container may use. */
export interface Resources {
  memoryBytes: number;
  cpus: number;
}
