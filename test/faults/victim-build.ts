/** The victim as one file that starts quickly: its own parts, in front of the built daemon. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const SOURCE = fileURLToPath(new URL('victim.ts', import.meta.url));
const REPO = path.resolve(path.dirname(SOURCE), '../..');

/** @returns the file, for node. `npm run build` must have been run. */
export async function buildVictim(folder: string): Promise<string> {
  const outfile = path.join(folder, 'victim.mjs');
  await build({
    entryPoints: [SOURCE],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
    plugins: [
      {
        name: 'the built daemon',
        setup(building) {
          building.onResolve({ filter: /\/src\// }, (args) => {
            const inSource = path.relative(path.join(REPO, 'src'), path.resolve(args.resolveDir, args.path));
            return { path: path.join(REPO, 'dist', inSource), external: true };
          });
        },
      },
    ],
  });
  return outfile;
}
