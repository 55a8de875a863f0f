import { type Machine, untilReady } from './machine.js';

/** Odoo alone: its database goes on. */
export const restart: Machine<'stop' | 'start' | 'ready'> = {
  begin: 'stop',
  needs: 'running',
  remembered: false,
  next(progress, { missing }) {
    if (progress === 'stop') return { steps: [{ action: 'stopOdoo' }], progress: 'start' };
    if (progress === 'start') return { steps: untilReady(missing), progress: 'ready' };
    return 'done';
  },
};
