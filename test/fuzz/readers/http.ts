/** One answer as it came over the wire (RFC 9112), read byte by byte: no library that might be as forgiving as its writer. */
import { connect } from 'node:net';

export interface Answer {
  status: number;
  headers: Map<string, string>;
  body: Buffer;
}

const LONGEST_MS = 5_000;

/** Sends the bytes and gives all that comes back until the connection ends. */
export function exchange(port: number, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.end(request));
    socket.setTimeout(LONGEST_MS, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // What was not read of the request is answered by a reset, after the answer itself.
      if (['ECONNRESET', 'EPIPE'].includes(error.code ?? '')) resolve(Buffer.concat(chunks));
      else reject(error);
    });
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
}

/** Throws SyntaxError on anything that is not exactly one answer, or several one after the other. */
export function readAnswers(bytes: Buffer): Answer[] {
  const answers: Answer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end < 0) throw new SyntaxError(`an answer without an end of its head: ${bytes.subarray(at, at + 80)}`);
    const [first = '', ...lines] = bytes.subarray(at, end).toString('latin1').split('\r\n');
    const status = /^HTTP\/1\.1 (\d{3}) [\x20-\x7e]*$/.exec(first)?.[1];
    if (!status) throw new SyntaxError(`not a status line: ${first}`);
    const headers = new Map<string, string>();
    for (const line of lines) {
      const [, name = '', value = ''] =
        /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(line) ?? [];
      if (name === '') throw new SyntaxError(`not a header: ${line}`);
      if (headers.has(name.toLowerCase())) throw new SyntaxError(`the header ${name} is there twice`);
      headers.set(name.toLowerCase(), value);
    }
    at = end + 4;
    const length = Number(headers.get('content-length') ?? 0);
    answers.push({ status: Number(status), headers, body: bytes.subarray(at, at + length) });
    at += length;
  }
  return answers;
}
