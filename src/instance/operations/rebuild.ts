import { type Machine, untilReady } from './machine.js';

/** Its containers are made anew from its volumes. */
export const rebuild: Machine<'remove' | 'make' | 'ready'> = {
  begin: 'remove',
  needs: 'running',
  remembered: false,
  next(progress, { missing }) {
    if (progress === 'remove') return { steps: [{ action: 'removeContainers' }], progress: 'make' };
    if (progress === 'make') return { steps: untilReady(missing), progress: 'ready' };
    return 'done';
  },
};
