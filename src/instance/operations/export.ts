import type { Machine } from './machine.js';

/** The final copy, before its data goes. Nothing may run on the volumes. */
export const exportData: Machine<'write' | 'written'> = {
  begin: 'write',
  needs: 'deleted',
  remembered: true,
  next(progress, { observed: { db, odoo } }) {
    if (progress === 'written') return 'done';
    return {
      steps: [
        ...(odoo?.running ? [{ action: 'stopOdoo' } as const] : []),
        ...(db?.running ? [{ action: 'stopDb' } as const] : []),
        { action: 'exportData' },
      ],
      progress: 'written',
    };
  },
  // Deleted by name and confirmed by a person: that there is nothing to copy does not keep it.
  tolerates: (code, hold) => code === 'export.no_data' && hold === 'deleted',
};
