/** Settings: what instances are made from, and where they are reached. */
import { z } from 'zod';
import { yesNo } from './kinds.js';
import { hostAddress, instanceUrl, portRange, slotsIn, subnetPool } from './network.js';
import { section, setting } from './setting.js';

/** The grammar of Docker: host, path, tag, digest. The name becomes part of a path at the engine. */
const image = z
  .string()
  .max(255, 'the name of an image, such as odoo:19.0')
  .regex(
    /^(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?)(?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/,
    'the name of an image, such as odoo:19.0',
  );
const scope = z.string().regex(/^[a-z][a-z0-9]{0,15}$/, 'up to 16 lower-case letters and digits, a letter first');
const languages = z
  .string()
  .regex(/^[a-z]{2,3}(_[A-Z]{2})?(,[a-z]{2,3}(_[A-Z]{2})?)*$/, 'Odoo language codes, such as es_ES,en_US');

export const instances = section(
  'Instances',
  {
    SAAS_SCOPE: setting(scope, {
      default: 'default',
      doc: 'tells daemons on one engine apart; a prefix of all names unless `default`',
    }),
    SAAS_ODOO_IMAGE: setting(image, {
      default: 'odoo:19.0',
      doc: "image of the customers' Odoo; must be on the engine, it is not pulled",
    }),
    SAAS_POSTGRES_IMAGE: setting(image, { default: 'postgres:17', doc: 'image of their PostgreSQL; likewise' }),
    SAAS_LANGUAGES: setting(languages, { default: 'es_ES,en_US', doc: 'languages installed in every instance' }),
    SAAS_BIND_ADDRESS: setting(hostAddress, {
      default: '127.0.0.1',
      doc: 'address of this host on which instances are published',
    }),
    SAAS_PORT_RANGE: setting(portRange, {
      default: '20000-32767',
      doc: 'their ports, two for each instance; above 32767 Linux takes ports for outgoing connections',
    }),
    SAAS_SUBNET_POOL: setting(subnetPool, {
      default: '10.208.0.0/12',
      doc: 'private range that their networks (a /28 each) are cut from',
    }),
    SAAS_INSTANCE_URL: setting(instanceUrl, {
      default: 'http://{name}.localhost:{port}',
      doc: "public address; `https://{name}.example.com` behind a proxy, with a domain of the customers' own. `{port}` only on this machine",
    }),
    SAAS_PROXY_MODE: setting(yesNo, {
      default: 'no',
      doc: '`yes` behind a reverse proxy: instances trust its `X-Forwarded-*` headers',
    }),
  },
  (c) => ({
    instances: {
      scope: c.SAAS_SCOPE,
      odooImage: c.SAAS_ODOO_IMAGE,
      postgresImage: c.SAAS_POSTGRES_IMAGE,
      languages: c.SAAS_LANGUAGES.split(','),
      bindAddress: c.SAAS_BIND_ADDRESS,
      portBase: c.SAAS_PORT_RANGE[0],
      /** How many instances the port range and the subnet pool have room for. */
      maxSlots: slotsIn(c.SAAS_PORT_RANGE, c.SAAS_SUBNET_POOL),
      subnetPool: c.SAAS_SUBNET_POOL,
      urlTemplate: c.SAAS_INSTANCE_URL,
      proxyMode: c.SAAS_PROXY_MODE,
    },
  }),
);
