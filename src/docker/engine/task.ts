/** One-shot containers: how work is done on an instance's volumes and network. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LABEL } from '../../instance/naming.js';
import { RetryableError } from '../../lib/errors.js';
import { untilStopped } from '../../lib/stop.js';
import { type Bounds, MOST_OUTPUT_BYTES } from './bounds.js';
import type { ContainerOptions, Engine } from './engine.js';
import type { Attachment, Streams } from './streams.js';
import { type TarFile, tar } from './tar.js';

/** What every task has for its own files; it counts as its memory. */
const SCRATCH = 'size=16m,mode=1777,nosuid,nodev,noexec';
/** The last output may arrive a moment after the exit code. */
const OUTPUT_WAIT_MS = 1000;

export interface Job {
  /** Stem of the container's name; a random end is added. */
  name: string;
  image: string;
  entrypoint: string[];
  command?: string[];
  /** Must hold the scope; `saas.role=job` is added. */
  labels: Record<string, string>;
  /** As whom it runs, and what it may use (bounds.ts). */
  bounds: Bounds;
  env?: string[];
  mounts?: JobMount[];
  /** Name of a network; none at all when absent. */
  network?: string;
  /** One more network. */
  alsoOn?: string;
  /** Its own in that network; without, the engine gives it one. */
  address?: string;
  /** Put into the container's root before it starts: it must be a writable one. */
  files?: TarFile[];
  /** Written to its standard input, which is then closed. A promise is awaited while the container already runs. */
  stdin?: Promise<Buffer> | Buffer;
  /** How much of the end of its output is kept (default 16 kB). */
  keepBytes?: number;
  /** Ends it with its own failure, when it fails. */
  endedBy?: Promise<never>;
  /** Its output is for `startJob`, and who reads it counts it: the engine keeps no log of it. */
  streamed?: boolean;
}

/** A volume; a folder of the engine's host; or an empty volume that goes with the container. */
export type JobMount = ({ volume: string } | { folder: string } | { scratch: true }) & {
  target: string;
  readOnly?: boolean;
  /** Let the engine copy what the image has at the target into an empty volume, with its owner. */
  copyFromImage?: boolean;
};

export interface JobResult {
  exitCode: number;
  output: string;
}

/**
 * Runs a container to its end and removes it. Throws RetryableError `job.failed`, with its output, on a code not allowed,
 * `job.flooded` when it writes more than it may, `docker.timeout` when it takes longer, `worker.stopped` on a stop.
 */
export async function runJob(engine: Engine, job: Job, allowedCodes: readonly number[] = [0]): Promise<JobResult> {
  const id = await engine.createContainer(jobOptions(job, randomBytes(4).toString('hex'), engine.run));
  let result: JobResult;
  try {
    result = await runCreated(engine, id, job);
  } catch (error) {
    await engine.removeContainer(id).catch(() => undefined);
    throw error;
  }
  // From here on the engine removes it by itself (AutoRemove), also when the daemon has died meanwhile.
  if (allowedCodes.includes(result.exitCode)) return result;
  throw new RetryableError(
    'job.failed',
    `${job.name} ended with code ${result.exitCode}: ${result.output.trim().slice(-2000)}`,
    'Read the output in the message; the work is repeated from its start.',
  );
}

async function runCreated(engine: Engine, id: string, job: Job): Promise<JobResult> {
  if (job.alsoOn !== undefined) await engine.connectNetwork(job.alsoOn, id);
  if (job.files) await engine.putArchive(id, '/', tar(job.files));
  const attachment = await engine.attach(id, job.keepBytes);
  try {
    const ended = () => engine.waitForExit(id, job.bounds.seconds * 1000);
    const exit = Promise.race([
      job.bounds.isLong ? untilStopped(engine.stop.told, ended) : ended(),
      flood(attachment, job.name),
      ...(job.endedBy ? [job.endedBy] : []),
    ]);
    // Its failure is reported by the await below, also when starting fails first.
    exit.catch(() => undefined);
    await engine.startContainer(id);
    attachment.stdin.end((await job.stdin) ?? '');
    const exitCode = await exit;
    // Of a success, too, where the output is what it was run for.
    if (exitCode !== 0 || job.keepBytes) await Promise.race([attachment.closed, sleep(OUTPUT_WAIT_MS)]);
    return { exitCode, output: attachment.output() };
  } finally {
    attachment.close();
  }
}

async function flood({ flooded }: Attachment, name: string): Promise<never> {
  await flooded;
  const megabytes = MOST_OUTPUT_BYTES / 1024 ** 2;
  const advice = 'Look at what the instance has in its volumes; the work is repeated from its start.';
  throw new RetryableError('job.flooded', `${name} was ended: it wrote more than ${megabytes} MB`, advice);
}

/** A job whose streams the caller reads and writes as it goes. */
export interface RunningJob extends Omit<Streams, 'close'> {
  /** Of its container. */
  id: string;
  /** Settles when it ends; fails when the engine cannot tell. */
  exitCode: Promise<number>;
  /** Stops it if it still runs (its stop signal, then a kill) and lets go of it. Never fails. */
  end(graceSeconds: number): Promise<void>;
}

/** Starts a job without waiting for its end. `stdin` of the job is not used: the caller writes. */
export async function startJob(engine: Engine, job: Job): Promise<RunningJob> {
  const id = await engine.createContainer(jobOptions(job, randomBytes(4).toString('hex'), engine.run));
  try {
    const { stdin, stdout, errors, close } = await engine.attachStreams(id);
    const exitCode = engine.waitForExit(id, job.bounds.seconds * 1000);
    exitCode.catch(() => undefined);
    // Nobody may be reading any more when the connection ends.
    stdout.on('error', () => undefined);
    stdin.on('error', () => undefined);
    await engine.startContainer(id);
    const end = async (graceSeconds: number): Promise<void> => {
      // First: what waits for a reader would not see a signal.
      close();
      await engine.stopContainer(id, graceSeconds).catch(() => undefined);
      await engine.removeContainer(id).catch(() => undefined);
    };
    return { id, stdin, stdout, errors, exitCode, end };
  } catch (error) {
    await engine.removeContainer(id).catch(() => undefined);
    throw error;
  }
}

/** What the engine makes the job's container from. */
export function jobOptions(job: Job, suffix: string, run: string): ContainerOptions {
  const { bounds } = job;
  if (job.network !== undefined && !bounds.network) throw new RangeError(`${job.name} may not reach a network`);
  if (job.files !== undefined && !bounds.writableRoot)
    throw new RangeError(`${job.name} has no root to put files into`);
  const memory = bounds.memoryMb * 1024 ** 2;
  return {
    name: `${job.name}_${suffix}`,
    Image: job.image,
    Entrypoint: job.entrypoint,
    Cmd: job.command ?? [],
    Labels: { ...job.labels, [LABEL.role]: 'job', [LABEL.run]: run },
    User: bounds.user,
    ...(job.env ? { Env: job.env } : {}),
    Healthcheck: { Test: ['NONE'] },
    AttachStdin: true,
    OpenStdin: true,
    StdinOnce: true,
    ...(job.network && job.address
      ? { NetworkingConfig: { EndpointsConfig: { [job.network]: { IPAMConfig: { IPv4Address: job.address } } } } }
      : {}),
    HostConfig: {
      AutoRemove: true,
      NetworkMode: job.network ?? 'none',
      CapDrop: ['ALL'],
      CapAdd: [...bounds.capabilities],
      SecurityOpt: ['no-new-privileges'],
      ...(bounds.writableRoot ? {} : { ReadonlyRootfs: true, Tmpfs: { '/tmp': SCRATCH } }),
      PidsLimit: bounds.processes,
      NanoCpus: bounds.cpus * 1e9,
      // None of it is swap.
      Memory: memory,
      MemorySwap: memory,
      // A process with the number 1 has no default for signals: one that came too early would be lost.
      ...(job.streamed ? { Init: true } : {}),
      LogConfig: job.streamed ? { Type: 'none', Config: {} } : { Type: 'json-file', Config: { 'max-size': '1m' } },
      Mounts: (job.mounts ?? []).map((mount) => ({
        ...('folder' in mount ? { Type: 'bind' as const, Source: mount.folder } : volumeMount(mount)),
        Target: mount.target,
        ReadOnly: mount.readOnly ?? false,
      })),
    },
  };
}

function volumeMount(mount: Exclude<JobMount, { folder: string }>) {
  const VolumeOptions = { NoCopy: !mount.copyFromImage } as never;
  return { Type: 'volume' as const, Source: 'volume' in mount ? mount.volume : '', VolumeOptions };
}
