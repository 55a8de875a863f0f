/** Names and keys that become names on the engine, folders and files. */
import path from 'node:path';
import fc from 'fast-check';
import { folderOf } from '../../../src/docker/instance/folder.js';
import { addressesBy } from '../../../src/facts/address.js';
import { isValidName, isValidScope, resourceNames, suggestName } from '../../../src/instance/naming.js';
import { deriveSecrets } from '../../../src/instance/secrets.js';
import { copiesIn } from '../../../src/keepers/exports.js';
import { instanceKey, instanceName, text } from '../hostile.js';
import { holds, same, target } from '../target.js';

/** What Docker takes for the name of a container, a volume or a network. */
const ENGINE_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** A label of DNS (RFC 1123). */
const DNS_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const KEY = Buffer.alloc(32, 7);

/** The value of `work`; null where it refuses with a RangeError. */
function inRange<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

export function nameTargets(name: typeof suggestName = suggestName, copies: typeof copiesIn = copiesIn) {
  const suggested = target({
    name: 'name of an instance',
    share: 12,
    values: fc.record({ company: text, taken: fc.integer({ min: 0, max: 20 }) }),
    check({ company, taken }) {
      let left = taken;
      const given = name(company, () => left-- > 0);
      holds('it is a label of DNS', DNS_LABEL.test(given) && isValidName(given), given);
      for (const used of Object.values(resourceNames('default', given))) {
        holds('the engine takes it', ENGINE_NAME.test(used), used);
      }
      const url = addressesBy('https://{name}.example.com')(given, { httpPort: 20_000 });
      same('its host', new URL(url).hostname, `${given}.example.com`);
    },
  });

  const inside = target({
    name: 'folder and final copy',
    share: 10,
    values: fc.record({
      name: fc.oneof(instanceName, text),
      key: fc.oneof(instanceKey, text),
      dir: fc.constantFrom('/data', '/var/lib/x y'),
    }),
    check({ name: given, key, dir }) {
      const folder = inRange(() => folderOf(dir, given));
      if (folder !== null) same('the folder', folder, path.resolve(dir, 'instances', path.basename(given)));
      const file = inRange(() => copies({ dir, keptDays: 1 }).fileOf({ key, name: given }, 'zip'));
      if (file === null) return;
      same('the folder of the copy', path.dirname(path.resolve(file)), dir);
      holds(
        'the copy is one that is cleared away in time',
        /^[a-z0-9-]+\.[a-z]+-\d+(\.\d+)?\.zip$/.test(path.basename(file)),
        file,
      );
    },
  });

  const one = fc.record({
    scope: fc.constantFrom('default', 'a', 'test', 'odoo'),
    name: fc.oneof(instanceName, text),
    key: instanceKey,
  });
  const apart = target({
    name: 'two customers',
    share: 8,
    values: fc.tuple(one, one),
    check([a, b]) {
      const names = [a, b].map((it) => inRange(() => Object.values(resourceNames(it.scope, it.name))));
      const [first, second] = names;
      same(
        'whether the names are taken',
        names.map(Boolean),
        [a, b].map((it) => isValidName(it.name) && isValidScope(it.scope)),
      );
      if (first && second && (a.scope !== b.scope || a.name !== b.name)) {
        same(
          'names that both have',
          first.filter((it) => second.includes(it)),
          [],
        );
      }
      if (a.key === b.key) return;
      const [mine, theirs] = [a, b].map((it) => {
        const { databaseUuid, ...secrets } = deriveSecrets(KEY, it.key);
        return [databaseUuid, ...Object.values(secrets).map((secret) => secret.reveal())];
      });
      same(
        'secrets that both have',
        mine?.filter((it) => theirs?.includes(it)),
        [],
      );
      const files = [a, b].map((it) => inRange(() => copies({ dir: '/x', keptDays: 1 }).fileOf(it, 'zip')));
      holds('the copies are two files', files[0] === null || files[0] !== files[1], files);
    },
  });
  return [suggested, inside, apart];
}
