/** odoo.conf as Odoo reads it: Python's RawConfigParser with its defaults. Written from its documentation, not from our writer. */

export function readIni(text: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | null = null;
  let name: string | null = null;
  // Python opens the file with universal newlines.
  for (const line of text.split(/\r\n|\r|\n/)) {
    const value = line.trim();
    if (value === '' || /^[#;]/.test(value)) continue;
    if (/^\s/.test(line) && section && name !== null) {
      section.set(name, `${section.get(name)}\n${value}`);
      continue;
    }
    const header = /^\[(.+)\]/.exec(value);
    if (header) {
      const title = header[1] ?? '';
      if (sections.has(title)) throw new SyntaxError(`the section ${title} is there twice`);
      section = new Map();
      sections.set(title, section);
      name = null;
      continue;
    }
    const option = /^(.*?)\s*(?:[=:]\s*(.*))?$/.exec(value);
    if (!section || !option || option[2] === undefined) throw new SyntaxError(`not an option: ${value}`);
    name = (option[1] ?? '').toLowerCase();
    if (section.has(name)) throw new SyntaxError(`the option ${name} is there twice`);
    section.set(name, option[2]);
  }
  return sections;
}
