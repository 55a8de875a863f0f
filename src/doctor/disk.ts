/** What lies in the data folder and is of nobody, and final copies that are not there. Pure. */
import { PHASE } from '../instance/phase.js';
import { type Finding, finding } from './kinds.js';
import type { Picture } from './picture.js';

export function diskFindings({ disk, store, now, isRunning }: Picture): Finding[] {
  const living = new Set(store?.instances.filter(({ phase }) => !PHASE[phase].gone).map(({ name }) => name));
  return [
    ...(store ? disk.folders : [])
      .filter((folder) => !living.has(folder))
      .map((folder) => finding('folder_left', folder, { folder })),
    ...disk.copies.flatMap(({ file, kind, until }): Finding[] => {
      if (kind === 'draft') return isRunning ? [] : [finding('copy_unfinished', file, { file })];
      if (kind === 'copy') return until === null ? [finding('copy_undated', file, { file })] : [];
      return until && until > now ? [finding('copy_lost', file, { file, until: until.toISOString() })] : [];
    }),
  ];
}
