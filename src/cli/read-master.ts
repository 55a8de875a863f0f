/** All that the master has, read by a command: it says no name, so that the master takes it for no other daemon. */
import { TerminalError } from '../lib/errors.js';
import type { connectMaster } from '../wiring.js';

const PAGE_ROWS = 500;
/** A backstop only. */
const MOST_PAGES = 10_000;

type Master = ReturnType<typeof connectMaster>['master'];
export type MasterPage = Awaited<ReturnType<Master['poll']>>;

/** One page after the other; the last one has `more` false. */
export async function* pagesOf(master: Pick<Master, 'poll'>): AsyncGenerator<MasterPage> {
  let cursor: string | null = null;
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const page: MasterPage = await master.poll(cursor, PAGE_ROWS);
    yield page;
    if (!page.more) return;
    cursor = page.cursor;
  }
  throw new TerminalError('odoo.protocol', 'the master never comes to the end of its rows', 'Upgrade the addon.');
}
