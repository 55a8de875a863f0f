import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { runbookPage } from '../../../src/lib/runbook.js';

const read = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

describe('the runbook', () => {
  const text = read('compose/RUNBOOK.md');
  /** As GitHub makes them. */
  const anchors = new Set(
    [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
  const codes = [...read('src/ERRORS.md').matchAll(/^\| `([a-z_.]+)`/gm)].map(([, code = '']) => code);

  it('has the page that each error names', () => {
    const pages = codes.flatMap((code) => runbookPage(code) ?? []);
    expect(pages).length.above(60);
    const missing = pages.filter((page) => !anchors.has(page.replace('compose/RUNBOOK.md#', '')));
    expect([...new Set(missing)]).deep.equal([]);
  });

  it('has no page for what nobody need do anything about', () => {
    const without = codes.filter((code) => runbookPage(code) === null);
    expect(without).length.below(8).include('worker.stopped');
  });

  it('takes the first row that fits', () => {
    expect(runbookPage('store.locked')).equal('compose/RUNBOOK.md#two-daemons');
    expect(runbookPage('store.corrupt')).equal('compose/RUNBOOK.md#the-store-is-lost-older-or-damaged');
    expect(runbookPage('nothing.like_it')).equal(null);
  });

  it('has no link in it that leads nowhere', () => {
    const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
    expect(links).length.above(10);
    expect(links.filter((anchor) => !anchors.has(anchor))).deep.equal([]);
  });

  it('is short of no kind of the doctor’s', () => {
    expect(text).contain('saas-bridge doctor');
  });
});
