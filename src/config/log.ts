/** Settings: the admin's log. */
import { z } from 'zod';
import { text } from './kinds.js';
import { optional, section, setting } from './setting.js';

const level = z.enum(['debug', 'info', 'warn', 'error'], 'debug, info, warn or error');
const format = z.enum(['auto', 'json', 'pretty'], 'auto, json or pretty');

export const log = section(
  'Log',
  {
    SAAS_LOG_LEVEL: setting(level, { default: 'info', doc: '`debug`, `info`, `warn` or `error`' }),
    SAAS_LOG_FORMAT: setting(format, { default: 'auto', doc: '`json`, `pretty`, or `auto`: pretty on a terminal' }),
    SAAS_LOG_FILE: optional(text(), {
      without: 'none',
      doc: 'also write the log (JSON) here; rotated at 10 MB, ten files',
    }),
  },
  (c) => ({ log: { level: c.SAAS_LOG_LEVEL, format: c.SAAS_LOG_FORMAT, file: c.SAAS_LOG_FILE } }),
);
