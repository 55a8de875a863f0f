/** A tar archive in memory (POSIX ustar), for files that travel into a container. Pure. */

const BLOCK = 512;

export interface TarFile {
  /** Path inside the archive, at most 100 bytes of ASCII. */
  name: string;
  content: string | Buffer;
  /** Permission bits, e.g. 0o400. */
  mode: number;
  uid?: number;
  gid?: number;
}

/** The archive of the files, in their order. Throws RangeError on a name that ustar cannot hold. */
export function tar(files: readonly TarFile[]): Buffer {
  const blocks: Buffer[] = [];
  for (const file of files) {
    const content = Buffer.isBuffer(file.content) ? file.content : Buffer.from(file.content, 'utf8');
    blocks.push(header(file, content.length), content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK));
  }
  blocks.push(Buffer.alloc(2 * BLOCK));
  return Buffer.concat(blocks);
}

function header(file: TarFile, size: number): Buffer {
  if (!/^[\x21-\x7e]{1,100}$/.test(file.name)) throw new RangeError(`not a tar name: ${JSON.stringify(file.name)}`);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, offset: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset, 'latin1');
  };
  block.write(file.name, 0, 'latin1');
  octal(file.mode, 100, 8);
  octal(file.uid ?? 0, 108, 8);
  octal(file.gid ?? 0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.write('        0', 148, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
