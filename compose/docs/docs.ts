/** Writes the settings into README.md and the production compose file: `npm run docs`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { withEnvironment, withTable } from './settings.js';

const ROOT = new URL('../../', import.meta.url);

function rewrite(name: string, change: (text: string) => string): void {
  const file = new URL(name, ROOT);
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

rewrite('README.md', withTable);
rewrite('compose/daemon/docker-compose.yml', withEnvironment);
