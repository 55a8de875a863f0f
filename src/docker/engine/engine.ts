/** The Docker engine, as little of it as we use. The only importer of dockerode. */
import { randomBytes } from 'node:crypto';
import type { Duplex, Readable } from 'node:stream';
import Docker from 'dockerode';
import { createStop, type Stop } from '../../lib/stop.js';
import { type Call, createCall } from './call.js';
import { ConflictError, NotFoundError } from './errors.js';
import { type EngineEvent, type EventStream, readEvents } from './events.js';
import { changedAt, get } from './get.js';
import { networkOf, networkOptions, volumeOf } from './listing.js';
import { memoryIn, type Stats } from './stats.js';
import { type Attachment, attachmentOf, plainLog, type Streams, streamsOf } from './streams.js';
import type { EngineOptions, Network, Resources, Subnet, Volume } from './types.js';

const DEFAULT_TIMEOUT_MS = 60_000;
const LOG_TAIL_LINES = 60;

export type ContainerOptions = Docker.ContainerCreateOptions;
export type ContainerSummary = Docker.ContainerInfo;
export type ContainerDetails = Docker.ContainerInspectInfo;

export const createEngine = (options: EngineOptions = {}): Engine => new Engine(options);

/** Every method throws a RetryableError or a TerminalError (see errors.ts) and has a deadline. */
export class Engine {
  readonly #docker: Docker;
  readonly #timeoutMs: number;
  readonly #call: Call;
  /** What must be done on the way out, too. */
  readonly #lastCall: Call;
  readonly stop: Stop;
  /** Tells the tasks of this process from those of others. */
  readonly run = randomBytes(4).toString('hex');

  constructor({ timeoutMs = DEFAULT_TIMEOUT_MS, intercept, stop = createStop(), ...connection }: EngineOptions) {
    this.#docker = new Docker(connection);
    this.#timeoutMs = timeoutMs;
    this.stop = stop;
    this.#call = createCall(timeoutMs, intercept, stop.late);
    this.#lastCall = createCall(timeoutMs, intercept);
  }

  async ping(): Promise<void> {
    await this.#call('ping', (abortSignal) => get(this.#docker.modem, '/_ping', abortSignal));
  }

  /** The folder in which it keeps everything. */
  async rootDir(): Promise<string> {
    const ask = (abort: AbortSignal) => get<{ DockerRootDir: string }>(this.#docker.modem, '/info', abort);
    return (await this.#call('read info', ask)).DockerRootDir;
  }

  /** Content id (`sha256:…`) of an image. TerminalError `docker.image_missing` when the engine has not got it. */
  async imageId(image: string): Promise<string> {
    const { Id } = await this.#call(`inspect image ${image}`, (abortSignal) =>
      get<{ Id: string }>(this.#docker.modem, `/images/${image}/json`, abortSignal),
    );
    return Id;
  }

  /** Creates a container and gives its id. ConflictError when the name is in use. */
  async createContainer(options: ContainerOptions): Promise<string> {
    const container = await this.#call(`create container ${options.name}`, (abortSignal) =>
      this.#docker.createContainer({ ...options, abortSignal }),
    );
    return container.id;
  }

  /** Starting what runs is done. SlotTakenError when a published port is in use. */
  async startContainer(id: string): Promise<void> {
    const start = (abortSignal: AbortSignal) => this.#docker.getContainer(id).start({ abortSignal });
    await this.#call(`start container ${id}`, start, [304]);
  }

  /** Stops with the container's stop signal, kills after `graceSeconds`. Absent or stopped is done. */
  async stopContainer(id: string, graceSeconds: number): Promise<void> {
    const deadlineMs = this.#timeoutMs + graceSeconds * 1000;
    await this.#call(
      `stop container ${id}`,
      (abortSignal) => this.#docker.getContainer(id).stop({ t: graceSeconds, abortSignal }),
      [304, 404],
      deadlineMs,
    );
  }

  /** Removes a container, running or not, and its anonymous volumes. Absent is done. */
  async removeContainer(id: string): Promise<void> {
    await this.#lastCall(
      `remove container ${id}`,
      (abortSignal) => this.#docker.getContainer(id).remove({ force: true, v: true, abortSignal }),
      [404],
    ).catch((error: unknown) => {
      // Two removers at once: the other one finishes it.
      if (!(error instanceof ConflictError && /already in progress/.test(error.message))) throw error;
    });
  }

  /** Exit code of the container's next exit. Call before starting it. RetryableError `docker.timeout` after `timeoutMs`. */
  async waitForExit(id: string, timeoutMs: number): Promise<number> {
    const result = await this.#call(
      `wait for container ${id}`,
      (abortSignal) => this.#docker.getContainer(id).wait({ condition: 'next-exit', abortSignal }),
      [],
      timeoutMs,
    );
    return (result as { StatusCode: number }).StatusCode;
  }

  async inspectContainer(id: string): Promise<ContainerDetails> {
    return this.#call(`inspect container ${id}`, (abortSignal) =>
      this.#docker.getContainer(id).inspect({ abortSignal }),
    );
  }

  /** All containers, stopped ones too, that carry every one of the labels (`key=value` or `key`), and mount the volume. */
  async listContainers(labels: string[], volume?: string): Promise<ContainerSummary[]> {
    const filters = { label: labels, ...(volume ? { volume: [volume] } : {}) };
    return this.#call('list containers', (abortSignal) =>
      this.#docker.listContainers({ all: true, filters, abortSignal }),
    );
  }

  /** Unpacks a tar archive into a folder of the container, running or not. */
  async putArchive(id: string, path: string, archive: Buffer): Promise<void> {
    await this.#call(`put files into ${id}`, (abortSignal) =>
      this.#docker.getContainer(id).putArchive(archive, { path, abortSignal }),
    );
  }

  /** When a file of a container, running or not, was last changed; null where there is none. */
  async fileChangedAt(id: string, path: string): Promise<Date | null> {
    const look = (abort: AbortSignal) => changedAt(this.#docker.modem, id, path, abort);
    return this.#call(`look at ${path} in ${id}`, look);
  }

  /** Gives a container, running or not, other limits. None of its memory is swap. RetryableError `docker.memory_in_use`. */
  async updateContainer(id: string, { memoryBytes, cpus }: Resources): Promise<void> {
    const limits = { Memory: memoryBytes, MemorySwap: memoryBytes, NanoCpus: Math.round(cpus * 1e9) };
    await this.#call(`update container ${id}`, (abortSignal) =>
      this.#docker.getContainer(id).update({ ...limits, abortSignal }),
    );
  }

  /** Connects to the streams of a container made with OpenStdin and StdinOnce; keeps the end of what it writes. */
  async attach(id: string, keepBytes?: number): Promise<Attachment> {
    return attachmentOf(await this.#hijack(id), keepBytes);
  }

  /** The same, for output of any size: it is read only as fast as `stdout` is. */
  async attachStreams(id: string): Promise<Streams> {
    return streamsOf(await this.#hijack(id));
  }

  async #hijack(id: string): Promise<Duplex> {
    const options = { stream: true, hijack: true, stdin: true, stdout: true, stderr: true };
    const stream = await this.#call(`attach to ${id}`, (abortSignal) =>
      this.#docker.getContainer(id).attach({ ...options, abortSignal }),
    );
    return stream as unknown as Duplex;
  }

  /** Tells of what happens to containers with all of the labels, until the connection ends. */
  async events(labels: string[], actions: string[], onEvent: (event: EngineEvent) => void): Promise<EventStream> {
    const filters = { type: ['container'], event: actions, label: labels };
    const stream = await this.#call('listen to events', (abortSignal) =>
      this.#docker.getEvents({ filters, abortSignal } as object),
    );
    return readEvents(stream as unknown as Readable, onEvent);
  }

  /** The last lines a container wrote. */
  async logs(id: string): Promise<string> {
    const raw = await this.#call(`read log of ${id}`, (abortSignal) =>
      this.#docker.getContainer(id).logs({ stdout: true, stderr: true, tail: LOG_TAIL_LINES, abortSignal }),
    );
    return plainLog(raw as unknown as Buffer);
  }

  /** Memory in use without the page cache, bytes. */
  async memoryBytes(id: string): Promise<number> {
    const once = { stream: false, 'one-shot': true };
    const look = (abort: AbortSignal) => get<Stats>(this.#docker.modem, `/containers/${id}/stats`, abort, once);
    return memoryIn(await this.#call(`read usage of ${id}`, look));
  }

  /** Creates a volume; an existing one is kept as it is, with the labels it has. */
  async ensureVolume(name: string, labels: Record<string, string>): Promise<void> {
    await this.#call(`create volume ${name}`, (abortSignal) =>
      this.#docker.createVolume({ Name: name, Labels: labels, abortSignal }),
    );
  }

  /** Labels of one volume, null when there is none. */
  async volumeLabels(name: string): Promise<Record<string, string> | null> {
    try {
      const volume = await this.#call(`inspect volume ${name}`, (abortSignal) =>
        this.#docker.getVolume(name).inspect({ abortSignal }),
      );
      return volume.Labels ?? {};
    } catch (error) {
      if (error instanceof NotFoundError) return null;
      throw error;
    }
  }

  async listVolumes(labels: string[]): Promise<Volume[]> {
    const { Volumes } = await this.#call('list volumes', (abortSignal) =>
      this.#docker.listVolumes({ filters: { label: labels }, abortSignal }),
    );
    return (Volumes ?? []).map(volumeOf);
  }

  /** Removes a volume; absent is done. ConflictError while a container uses it. */
  async removeVolume(name: string): Promise<void> {
    await this.#call(
      `remove volume ${name}`,
      (abortSignal) => this.#docker.getVolume(name).remove({ abortSignal }),
      [404],
    );
  }

  /** Creates a bridge network without IPv6. ConflictError when the name is in use, PlaceTakenError when the subnet is. */
  async createNetwork(name: string, labels: Record<string, string>, subnet?: Subnet): Promise<void> {
    await this.#call(`create network ${name}`, (abortSignal) =>
      this.#docker.createNetwork({ ...networkOptions(name, labels, subnet), abortSignal }),
    );
  }

  async listNetworks(labels: string[]): Promise<Network[]> {
    const networks = await this.#call('list networks', (abortSignal) =>
      this.#docker.listNetworks({ filters: { label: labels }, abortSignal }),
    );
    return networks.map((network) => networkOf(network as Parameters<typeof networkOf>[0]));
  }

  /** Joins a container that is not started yet to one more network. */
  async connectNetwork(network: string, container: string): Promise<void> {
    await this.#call(`connect ${container} to ${network}`, (abortSignal) =>
      this.#docker.getNetwork(network).connect({ Container: container, abortSignal } as object),
    );
  }

  /** Removes a network; absent is done. */
  async removeNetwork(id: string): Promise<void> {
    const remove = (abortSignal: AbortSignal) => this.#docker.getNetwork(id).remove({ abortSignal });
    await this.#call(`remove network ${id}`, remove, [404]);
  }
}
