/** A container's standard streams, in the engine's frames: 8 bytes (which stream, 3 zeros, length), then the bytes. */
import { type Duplex, type Readable, Transform, type TransformCallback, type Writable } from 'node:stream';
import { MOST_OUTPUT_BYTES } from './bounds.js';

const KEEP_BYTES = 16_384;
const HEADER_BYTES = 8;
const STDERR = 2;

/** Connection to a container's standard streams, opened before it starts. */
export interface Attachment {
  stdin: Writable;
  /** The end of what it has written so far on both streams. */
  output(): string;
  /** Settles when the container has written its last. */
  closed: Promise<void>;
  /** Settles when it has written more than it may; never otherwise. */
  flooded: Promise<void>;
  close(): void;
}

/** The same for output of any size. */
export interface Streams {
  stdin: Writable;
  /** Ends when the container has written its last, fails when the connection does. Unread, it holds the container up. */
  stdout: Readable;
  /** The end of what it has written on standard error. */
  errors(): string;
  close(): void;
}

/** Reads everything at once and keeps the end of it; reads no more once there is more than `mostBytes`. */
export function attachmentOf(
  connection: Duplex,
  keepBytes: number = KEEP_BYTES,
  mostBytes = MOST_OUTPUT_BYTES,
): Attachment {
  const tail = new Tail(keepBytes);
  let written = 0;
  let flood: () => void = () => undefined;
  const flooded = new Promise<void>((resolve) => {
    flood = resolve;
  });
  const frames = new Frames((_stream, bytes) => {
    tail.add(bytes);
    written += bytes.length;
    if (written <= mostBytes) return;
    flood();
    connection.destroy();
  });
  connection.pipe(frames).resume();
  // A broken stream shows as the exit code or the time-out of the container itself.
  const closed = new Promise<void>((resolve) => {
    for (const event of ['end', 'close', 'error']) connection.on(event, () => resolve());
    frames.on('error', () => resolve());
  });
  return { stdin: connection, output: () => tail.text(), closed, flooded, close: () => void connection.destroy() };
}

/** Standard output as a stream, and the end of standard error. */
export function streamsOf(connection: Duplex): Streams {
  const tail = new Tail(KEEP_BYTES);
  const stdout = new Frames((stream, bytes, self) => {
    if (stream === STDERR) tail.add(bytes);
    else self.push(bytes);
  });
  connection.pipe(stdout);
  connection.on('error', (error) => stdout.destroy(error));
  connection.on('close', () => {
    if (!connection.readableEnded) stdout.destroy(new Error('the connection to the container was closed'));
  });
  return { stdin: connection, stdout, errors: () => tail.text(), close: () => void connection.destroy() };
}

/** The text of a log. */
export function plainLog(raw: Buffer): string {
  const tail = new Tail(raw.length);
  const frames = new Frames((_stream, bytes) => void tail.add(bytes));
  frames.split(raw);
  return tail.text();
}

/** Takes the frames apart, however the bytes arrive. */
class Frames extends Transform {
  #header = Buffer.alloc(0);
  #stream = 0;
  #left = 0;
  readonly #payload: (stream: number, bytes: Buffer, self: Frames) => void;

  constructor(payload: (stream: number, bytes: Buffer, self: Frames) => void) {
    super();
    this.#payload = payload;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.split(chunk);
    done();
  }

  split(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#left === 0) {
        const missing = HEADER_BYTES - this.#header.length;
        this.#header = Buffer.concat([this.#header, chunk.subarray(at, at + missing)]);
        at += missing;
        if (this.#header.length < HEADER_BYTES) return;
        this.#stream = this.#header.readUInt8(0);
        this.#left = this.#header.readUInt32BE(4);
        this.#header = Buffer.alloc(0);
      } else {
        const bytes = chunk.subarray(at, at + this.#left);
        at += bytes.length;
        this.#left -= bytes.length;
        this.#payload(this.#stream, bytes, this);
      }
    }
  }
}

/** The last bytes of many. */
class Tail {
  #chunks: Buffer[] = [];
  #size = 0;
  readonly #keepBytes: number;

  constructor(keepBytes: number) {
    this.#keepBytes = keepBytes;
  }

  add(bytes: Buffer): void {
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    if (this.#size > 2 * this.#keepBytes) this.#shorten();
  }

  text(): string {
    this.#shorten();
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  #shorten(): void {
    if (this.#size <= this.#keepBytes) return;
    this.#chunks = [Buffer.concat(this.#chunks).subarray(-this.#keepBytes)];
    this.#size = this.#keepBytes;
  }
}
