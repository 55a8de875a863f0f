/** What a template is made of, and what it is called by that. Pure. */
import { createHash } from 'node:crypto';
import type { TemplateSpec } from '../../instance/ports.js';

/** Raise it when a change of the build must reach new instances. */
const FORMAT = 2;

export interface Template {
  id: string;
  pgdataVolume: string;
  filestoreVolume: string;
}

/** Changes with the images' contents, the modules, the languages and the way templates are built. */
export function templateId(imageIds: readonly string[], spec: Pick<TemplateSpec, 'modules' | 'languages'>): string {
  const facts = [FORMAT, ...imageIds, templateModules(spec.modules), [...new Set(spec.languages)].sort()];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 12);
}

/** What `odoo -i` gets: base and web first, the rest sorted, each once. */
export function templateModules(modules: readonly string[]): string[] {
  const rest = [...new Set(modules)].filter((name) => name !== 'base' && name !== 'web').sort();
  return ['base', 'web', ...rest];
}
