/** The last results of rendering. */
import type { InstanceSpec } from '../../instance/spec.js';
import type { Rendered } from './rendering.js';

const REMEMBERED = 500;

/** Rendering costs about 20 ms and every step needs it: the results of the last specs are kept. */
export function remember(render: (spec: InstanceSpec) => Rendered): (spec: InstanceSpec) => Rendered {
  const known = new Map<string, Rendered>();
  return (spec) => {
    const key = JSON.stringify(spec);
    const rendered = known.get(key) ?? render(spec);
    known.delete(key);
    known.set(key, rendered);
    const [oldest] = known.keys();
    if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
    return rendered;
  };
}
