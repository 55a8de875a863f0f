import type { Step } from '../steps.js';
import type { Machine, Situation } from './machine.js';

/** The final copy, before its data goes. Nothing may run on the volumes. */
export const exportData: Machine<'write' | 'raw' | 'skipped' | 'written'> = {
  begin: 'write',
  needs: 'deleted',
  remembered: true,
  next(progress, situation) {
    switch (progress) {
      case 'write':
        return { steps: [...stopped(situation), { action: 'exportData' }], progress: 'written' };
      case 'raw':
        return { steps: [...stopped(situation), { action: 'copyVolumes' }], progress: 'written' };
      case 'skipped':
      case 'written':
        return 'done';
    }
  },
  // What is in the volumes may make every dump fail: whose they are does not decide that they are kept for ever.
  otherwise: { after: 3, codes: ['export.failed', 'export.stalled', 'export.too_large'], progress: 'raw' },
  chosen: 'skipped',
  // Deleted by name and confirmed by a person: that there is nothing to copy does not keep it.
  tolerates: (code, hold) => code === 'export.no_data' && hold === 'deleted',
};

function stopped({ observed: { db, odoo } }: Situation): Step[] {
  return [
    ...(odoo?.running ? [{ action: 'stopOdoo' } as const] : []),
    ...(db?.running ? [{ action: 'stopDb' } as const] : []),
  ];
}
