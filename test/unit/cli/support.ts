import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Config, loadConfig } from '../../../src/config/config.js';
import { BridgeError } from '../../../src/lib/errors.js';

/** A data folder of its own with settings; nobody answers as master or engine. */
export function testConfig(): { dir: string; config: Config; remove(): void } {
  const dir = mkdtempSync(path.join(tmpdir(), 'saas-cli-'));
  const key = path.join(dir, 'key');
  writeFileSync(key, 'k');
  const config = loadConfig({
    ...{ SAAS_ODOO_URL: 'http://127.0.0.1:9', SAAS_ODOO_DB: 'm', SAAS_ODOO_LOGIN: 'b', SAAS_ODOO_API_KEY_FILE: key },
    ...{ SAAS_DATA_DIR: dir, SAAS_DOCKER_SOCKET: path.join(dir, 'no.sock'), SAAS_TIME_ZONE: 'Europe/Madrid' },
  });
  return { dir, config, remove: () => rmSync(dir, { recursive: true }) };
}

/** What a command prints. */
export function out() {
  let text = '';
  const write = (chunk: string) => {
    text += chunk;
    return true;
  };
  return { write: write as NodeJS.WriteStream['write'], isTTY: false, text: () => text };
}

/** The code of what it throws. */
export async function codeOf(run: () => unknown): Promise<unknown> {
  try {
    await run();
    return 'nothing thrown';
  } catch (error) {
    return error instanceof BridgeError ? error.code : error;
  }
}
