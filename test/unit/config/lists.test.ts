/** The settings are listed for people in two more places: none may be missing there, or named and not exist. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { CONFIG_NAMES } from '../../../src/config/config.js';

/** Fixed by the container itself: its volume and the socket that is mounted. */
const OF_THE_CONTAINER = ['SAAS_DATA_DIR', 'SAAS_DOCKER_SOCKET'];

const read = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

describe('the list of settings', () => {
  it('of README.md is the one that the program knows', () => {
    const listed = [...read('README.md').matchAll(/^\| `(SAAS_\w+)` \|/gm)].map(([, name]) => name);
    expect(listed).members(CONFIG_NAMES).and.length(CONFIG_NAMES.length);
  });

  it('of the production compose file passes every setting on', () => {
    const { services } = parse(read('compose/daemon/docker-compose.yml')) as {
      services: { daemon: { environment: Record<string, string | null> } };
    };
    const passed = Object.keys(services.daemon.environment);
    expect([...passed, ...OF_THE_CONTAINER])
      .members(CONFIG_NAMES)
      .and.length(CONFIG_NAMES.length);
  });
});
