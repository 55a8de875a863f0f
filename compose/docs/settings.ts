/** The settings where people look for them: the table of README.md, and the production compose file. */
import { SECTIONS } from '../../src/config/config.js';
import { defaultOf } from '../../src/config/help.js';

/** Fixed by the container: its secret, its volume and the socket that is mounted. */
const IN_CONTAINER: Record<string, string> = {
  SAAS_ODOO_API_KEY_FILE: '/run/secrets/odoo_api_key',
  SAAS_DATA_DIR: '/var/lib/saas-bridge',
  SAAS_DOCKER_SOCKET: '/var/run/docker.sock',
};

/** The text of README.md with the table as it must be. */
export function withTable(readme: string): string {
  const rows = SECTIONS.flatMap(({ title, settings }) => [
    `| **${title}** | | |`,
    ...Object.entries(settings).map(([name, setting]) => `| \`${name}\` | ${defaultOf(setting)} | ${setting.doc} |`),
  ]);
  const table = ['| setting | default | meaning |', '|---|---|---|', ...rows];
  return between(readme, '<!-- settings: made by npm run docs -->', '<!-- settings: end -->', table);
}

/** The text of the compose file with the environment as it must be. */
export function withEnvironment(compose: string): string {
  const lines = SECTIONS.flatMap(({ title, settings }) => [
    `# ${title}`,
    ...Object.entries(settings).map(([name, setting]) => {
      const isRequired = setting.default === null && setting.without === null;
      const fallback = isRequired ? `:?${setting.doc}` : ':-';
      return `${name}: ${IN_CONTAINER[name] ?? `\${${name}${fallback}}`}`;
    }),
  ]);
  const indent = ' '.repeat(6);
  const block = lines.map((line) => `${indent}${line}`);
  return between(compose, `${indent}# settings: made by npm run docs\n`, `${indent}# settings: end`, block);
}

/** @throws Error when a marker is not there. */
function between(text: string, begin: string, end: string, lines: string[]): string {
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end, from);
  if (!text.includes(begin) || to < 0) throw new Error(`There is no place for the settings: "${begin}" to "${end}".`);
  return `${text.slice(0, from).trimEnd()}\n${lines.join('\n')}\n${text.slice(to)}`;
}
