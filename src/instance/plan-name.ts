import type { Plan } from './types.js';

/** What a customer with this language (an Odoo code such as `es_MX`) calls the plan. */
export function planNameFor({ name, names = {} }: Plan, lang: string): string {
  const sameLanguage = Object.keys(names).find((code) => code.slice(0, 2) === lang.slice(0, 2));
  return names[lang] ?? names[sameLanguage ?? ''] ?? name;
}
