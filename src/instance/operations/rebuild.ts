import { type Machine, untilReady } from './machine.js';

/** Its containers are made anew from its volumes. A backup comes first, where one can be made. */
export const rebuild: Machine<'keep' | 'remove' | 'make' | 'ready'> = {
  begin: 'keep',
  needs: 'running',
  remembered: false,
  next(progress, { observed: { db }, missing }) {
    if (progress === 'keep') return { steps: db?.running ? [{ action: 'backUp' }] : [], progress: 'remove' };
    if (progress === 'remove') return { steps: [{ action: 'removeContainers' }], progress: 'make' };
    if (progress === 'make') return { steps: untilReady(missing), progress: 'ready' };
    return 'done';
  },
  tolerates: (code) => code.startsWith('backup.'),
};
