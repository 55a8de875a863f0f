import { expect } from 'chai';
import { whileRoom } from '../../../../src/docker/instance/room.js';

describe('work on what is restored', () => {
  const never = <T>(full: Promise<T>) => full;

  it('ends when the disk has no more room, for a byte or for a file', async () => {
    for (const [space, told] of [
      [{ bytes: 0.12, inodes: 1 }, '12 % are free'],
      [{ bytes: 0.5, inodes: 0.1 }, '10 % of its inodes are free'],
    ] as const) {
      let looks = 0;
      const growing = async () => (++looks < 3 ? { bytes: 1, inodes: 1 } : space);
      const failure = await whileRoom(growing, never, 1).catch((error: unknown) => error);
      expect(failure).include({ code: 'backup.no_space' });
      expect(String(failure)).contain(told);
      expect(looks).equal(3);
    }
  });

  it('goes on while there is some, and where it cannot be told; and nobody looks when it is done', async () => {
    let looks = 0;
    const space = async () => {
      if (++looks === 2) throw new Error('no such folder');
      return { bytes: 0.14, inodes: 0.14 };
    };
    const work = async () => {
      while (looks < 4) await new Promise((resolve) => setTimeout(resolve, 1));
      return 'done';
    };
    expect(await whileRoom(space, work, 1)).equal('done');
    const then = looks;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(looks).equal(then);
  });
});
