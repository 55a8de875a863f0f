/** The trust model of SECURITY.md: each sentence names a test, and each test that is named is there. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url));

const text = readFileSync(root('SECURITY.md'), 'utf8');
const section = /^## Trust model\n([\s\S]*?)^## /m.exec(text)?.[1] ?? '';
const sentences = section.split('\n').filter((line) => line.startsWith('- '));
const named = (sentence: string) =>
  [...sentence.matchAll(/\[([^\]]+)\]\(((?:test|odoo-addon-stub)\/[^)]+)\)/g)].map(([, title = '', file = '']) => ({
    title,
    file,
  }));

/** Whether the file runs a test of this title. */
function runs({ title, file }: { title: string; file: string }): boolean {
  if (!existsSync(root(file))) return false;
  const source = readFileSync(root(file), 'utf8');
  if (file.endsWith('.py')) return source.includes(`    def ${title}(self):`);
  return [`it('${title.replaceAll("'", "\\'")}'`, `it("${title}"`].some((call) => source.includes(call));
}

describe('the trust model', () => {
  it('names a test for each sentence', () => {
    expect(sentences).length.above(20);
    expect(sentences.filter((sentence) => named(sentence).length === 0)).deep.equal([]);
  });

  it('names only tests that there are', () => {
    const missing = sentences.flatMap(named).filter((test) => !runs(test));
    expect(missing).deep.equal([]);
  });

  it('would miss one that there is not', () => {
    expect(runs({ title: 'finds nothing that is not there', file: 'test/unit/trust.test.ts' })).equal(false);
    expect(runs({ title: 'names a test for each sentence', file: 'test/unit/trust.test.ts' })).equal(true);
    expect(
      runs({ title: 'test_first_login_clears_it', file: 'odoo-addon-stub/saas_bridge/tests/test_secrets.py' }),
    ).equal(true);
    expect(runs({ title: 'x', file: 'test/unit/none.test.ts' })).equal(false);
  });
});
