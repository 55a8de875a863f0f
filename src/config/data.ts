/** Settings: where the daemon keeps its files, and for how long. */
import path from 'node:path';
import { text, whole } from './kinds.js';
import { optional, section, setting } from './setting.js';

export const data = section(
  'Files',
  {
    SAAS_DATA_DIR: setting(text(), {
      default: '/var/lib/saas-bridge',
      doc: "the daemon's own folder; one daemon each",
    }),
    SAAS_EXPORT_DIR: optional(text(), {
      without: '`exports` in the data folder',
      doc: 'folder for the final copies of deleted instances',
    }),
    SAAS_EXPORT_DAYS: setting(whole(0, 3650), {
      default: '90',
      unit: 'days',
      doc: 'time for which a final copy that is made from now on is kept; 0: none are made',
    }),
  },
  (c) => {
    const dataDir = path.resolve(c.SAAS_DATA_DIR);
    return {
      dataDir,
      storePath: path.join(dataDir, 'bridge.sqlite'),
      /** Final copies of deleted instances. */
      exports: { dir: path.resolve(c.SAAS_EXPORT_DIR ?? path.join(dataDir, 'exports')), keptDays: c.SAAS_EXPORT_DAYS },
    };
  },
);
