/** Settings: the pages `/health`, `/ready` and `/metrics`. */
import { text, whole } from './kinds.js';
import { section, setting } from './setting.js';

export const http = section(
  'Health',
  {
    SAAS_HTTP_HOST: setting(text(), { default: '127.0.0.1', doc: 'address of the health pages' }),
    SAAS_HTTP_PORT: setting(whole(0, 65535), { default: '8068', doc: 'port of the health pages' }),
  },
  (c) => ({ http: { host: c.SAAS_HTTP_HOST, port: c.SAAS_HTTP_PORT } }),
);
