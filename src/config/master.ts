/** Settings: the Odoo that sells, and how often it is asked. */
import { seconds, secretFile, text } from './kinds.js';
import { httpUrl } from './network.js';
import { required, section, setting } from './setting.js';

export const master = section(
  'Master',
  {
    SAAS_ODOO_URL: required(httpUrl, { doc: 'address of the master' }),
    SAAS_ODOO_DB: required(text('the name of the master database'), { doc: 'database of the master' }),
    SAAS_ODOO_LOGIN: required(text('the login of the API user'), { doc: "login of the daemon's user in the master" }),
    SAAS_ODOO_API_KEY_FILE: required(secretFile('the file that holds the API key of SAAS_ODOO_LOGIN'), {
      doc: 'file that holds the API key of that login',
    }),
    SAAS_ODOO_TIMEOUT: setting(seconds(1, 300), {
      default: '20',
      unit: 's',
      doc: 'longest wait for one call to the master',
    }),
    SAAS_POLL_INTERVAL: setting(seconds(0.2, 3600), {
      default: '2',
      unit: 's',
      doc: 'pause between two polls of what changed',
    }),
    SAAS_FULL_POLL_INTERVAL: setting(seconds(10, 86_400), {
      default: '3600',
      unit: 's',
      doc: 'pause between two polls of everything; the start is one too',
    }),
  },
  (c) => ({
    odoo: {
      url: c.SAAS_ODOO_URL,
      db: c.SAAS_ODOO_DB,
      login: c.SAAS_ODOO_LOGIN,
      apiKey: c.SAAS_ODOO_API_KEY_FILE,
      timeoutMs: c.SAAS_ODOO_TIMEOUT,
    },
    poll: { intervalMs: c.SAAS_POLL_INTERVAL, fullIntervalMs: c.SAAS_FULL_POLL_INTERVAL },
  }),
);
