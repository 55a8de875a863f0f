import { type Machine, untilReady } from './machine.js';

/**
 * A backup was restored beside it and proven to be whole: the instance uses that from now on. Down for as long as a start
 * takes. The volumes that it has used before go when it is ready; a backup of them was made.
 */
export const restore: Machine<'remove' | 'use' | 'make' | 'tidy' | 'done'> = {
  begin: 'remove',
  needs: 'running',
  remembered: false,
  next(progress, { missing }) {
    switch (progress) {
      case 'remove':
        return { steps: [{ action: 'removeContainers' }], progress: 'use' };
      case 'use':
        return { steps: [{ action: 'useRestored' }], progress: 'make' };
      case 'make':
        return { steps: untilReady(missing), progress: 'tidy' };
      case 'tidy':
        return { steps: [{ action: 'removeFormer' }], progress: 'done' };
      case 'done':
        return 'done';
    }
  },
};
