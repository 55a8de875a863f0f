/** `saas-bridge template build`: the templates of all plans, before the first customer needs one. */
import type { Config } from '../config/config.js';
import { templatesOf } from '../keepers/templates.js';
import { connectMaster, openFleet, releaseIn } from '../wiring.js';
import type { Out } from './output.js';

/** Builds what is missing, one after the other; progress on `progress`, the result on `out`. */
export async function buildTemplates(config: Config, out: Out, progress: Out, asJson: boolean): Promise<void> {
  const { client, master } = connectMaster(config);
  const { templates } = await openFleet(config);
  try {
    const { plans } = await master.poll(null);
    const { languages } = config.instances;
    const built: { modules: string[]; id: string; durationMs: number; existed: boolean }[] = [];
    for (const spec of templatesOf(plans, { release: releaseIn(config), languages })) {
      const startedAt = performance.now();
      const existed = (await templates.find(spec)) !== null;
      const { id } = await templates.ensure(spec, (line) => progress.write(`${line}\n`));
      built.push({ modules: spec.modules, id, durationMs: Math.round(performance.now() - startedAt), existed });
    }
    if (asJson) {
      out.write(`${JSON.stringify({ templates: built })}\n`);
      return;
    }
    for (const { id, modules, durationMs, existed } of built) {
      const what = modules.length > 0 ? modules.join(', ') : 'no extra modules';
      out.write(`${id}  ${what}: ${existed ? 'was ready' : `built in ${(durationMs / 1000).toFixed(0)} s`}\n`);
    }
    if (built.length === 0) out.write('The master has no plans yet.\n');
  } finally {
    await client.close();
  }
}
