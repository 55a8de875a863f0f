/** The range that the networks of the instances are cut from. */

/** RFC 1918, or the range for carriers (RFC 6598). */
export function isPrivatePool(pool: string): boolean {
  const [address = '', prefix] = pool.split('/');
  const [a, b = 0] = address.split('.').map(Number);
  const bits = Number(prefix);
  const least =
    a === 10
      ? 8
      : a === 172 && b >= 16 && b <= 31
        ? 12
        : a === 192 && b === 168
          ? 16
          : a === 100 && b >= 64 && b <= 127
            ? 10
            : 33;
  return bits >= least && bits <= 24;
}

/** Every instance takes a /28. */
export function subnetsIn(pool: string): number {
  return 2 ** (28 - Number(pool.split('/')[1]));
}
