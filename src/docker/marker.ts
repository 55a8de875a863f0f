/** The port ScopeMarker on one engine: an empty volume whose labels say whose the scope is. */
import { LABEL, scopePrefix } from '../instance/naming.js';
import type { Owner } from '../instance/ownership.js';
import type { ScopeMarker } from '../instance/ports.js';
import { RetryableError } from '../lib/errors.js';
import type { Engine } from './engine/engine.js';

const LABEL_OWNER = 'saas.owner';
const LABEL_FINGERPRINT = 'saas.owner.key';
const LABEL_REPLACED = 'saas.owner.key.replaced';
const LABEL_PLACE = 'saas.owner.place';

/** The port, and what only those do who remove everything of a scope. */
export interface EngineMarker extends ScopeMarker {
  remove(): Promise<void>;
}

export function createMarker(engine: Engine, scope: string): EngineMarker {
  const name = `${scopePrefix(scope)}saas_bridge_owner`;

  async function read(): Promise<Owner | null> {
    const labels = await engine.volumeLabels(name);
    if (!labels) return null;
    return {
      id: labels[LABEL_OWNER] ?? '',
      fingerprint: labels[LABEL_FINGERPRINT] ?? '',
      isKeyReplaced: labels[LABEL_REPLACED] === 'yes',
      place: labels[LABEL_PLACE] ?? 'unknown',
    };
  }

  async function claim({ id, fingerprint, isKeyReplaced, place }: Owner): Promise<Owner> {
    const labels = { [LABEL_OWNER]: id, [LABEL_FINGERPRINT]: fingerprint, [LABEL_PLACE]: place };
    const replaced = isKeyReplaced ? { [LABEL_REPLACED]: 'yes' } : {};
    // One that exists keeps its labels: of two at once, one wins.
    await engine.ensureVolume(name, { [LABEL.scope]: scope, ...labels, ...replaced });
    const owner = await read();
    if (owner) return owner;
    throw new RetryableError('scope.unmarked', `the volume ${name} vanished`, 'See who removes volumes; try it again.');
  }

  return {
    read,
    claim,
    remove: () => engine.removeVolume(name),

    async replace(owner) {
      await engine.removeVolume(name);
      return claim(owner);
    },

    async instanceKeys() {
      const labels = [`${LABEL.scope}=${scope}`, LABEL.key];
      const [containers, networks, volumes] = await Promise.all([
        engine.listContainers(labels),
        engine.listNetworks(labels),
        engine.listVolumes(labels),
      ]);
      const found = [...containers.map(({ Labels }) => Labels), ...networks.map(({ labels: own }) => own)];
      const all = [...found, ...volumes.map(({ labels: own }) => own)];
      return [...new Set(all.map((own) => own[LABEL.key] ?? ''))];
    },
  };
}
