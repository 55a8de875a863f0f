/** The settings in words. */
import { SECTIONS } from './config.js';
import type { Setting } from './setting.js';

/** What holds when it is not given, in Markdown: `20` s, or "required". */
export function defaultOf({ default: fallback, without, unit }: Setting): string {
  if (fallback === null) return without ?? 'required';
  return unit === null ? `\`${fallback}\`` : `\`${fallback}\` ${unit}`;
}

/** The list for `--help`: a line a setting. */
export function settingsHelp(): string {
  return SECTIONS.flatMap(({ title, settings }) => [
    `  ${title}`,
    ...Object.entries(settings).map(([name, setting]) => {
      return `    ${name.padEnd(30)}${setting.doc} (${defaultOf(setting)})`.replaceAll('`', '');
    }),
  ]).join('\n');
}
