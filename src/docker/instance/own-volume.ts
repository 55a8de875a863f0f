/** The volumes of an instance have its name, which proves nothing: their labels say whose they are. */
import { LABEL } from '../../instance/naming.js';
import type { Engine } from '../engine/engine.js';
import { assertOurs } from '../engine/ours.js';

/**
 * Whether the volume is there. TerminalError `docker.foreign` when it is another instance's; one that a person restored
 * may have no labels.
 */
export async function hasOwnVolume(engine: Engine, volume: string, labels: Record<string, string>): Promise<boolean> {
  const found = await engine.volumeLabels(volume);
  if (found === null) return false;
  if (found[LABEL.key] === undefined) return true;
  // Not what may have changed since.
  const { [LABEL.slot]: _slot, [LABEL.generation]: _generation, ...identity } = labels;
  assertOurs(`volume ${volume}`, found, identity);
  return true;
}
