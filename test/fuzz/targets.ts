/** All targets: everything that comes from outside, and where it goes. */
import { loadTemplates } from '../../src/docker/files.js';
import type { Target } from './target.js';
import { edgeTargets } from './targets/edge.js';
import { engineTargets } from './targets/engine.js';
import { fileTargets } from './targets/files.js';
import { httpTargets } from './targets/http.js';
import { mailTargets } from './targets/mail.js';
import { masterTargets } from './targets/master.js';
import { nameTargets } from './targets/names.js';
import { settingsTargets } from './targets/settings.js';
import { storeTargets } from './targets/store.js';
import { textTargets } from './targets/text.js';

export async function allTargets(): Promise<Target[]> {
  const files = await loadTemplates();
  return [
    ...nameTargets(),
    ...fileTargets(files),
    ...engineTargets(files),
    ...masterTargets(),
    ...mailTargets(),
    ...httpTargets(),
    ...edgeTargets(),
    ...textTargets(),
    ...storeTargets(),
    ...settingsTargets(),
  ];
}
