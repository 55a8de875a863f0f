/** Settings: the Docker engine, how much is done on it at once and how often it is looked at. */
import { seconds, text, whole } from './kinds.js';
import { section, setting } from './setting.js';

export const engine = section(
  'Engine',
  {
    SAAS_DOCKER_SOCKET: setting(text(), { default: '/var/run/docker.sock', doc: 'socket of the engine' }),
    SAAS_DOCKER_TIMEOUT: setting(seconds(1, 600), {
      default: '60',
      unit: 's',
      doc: 'longest wait for one call to the engine',
    }),
    SAAS_CONCURRENCY: setting(whole(1, 64), { default: '4', doc: 'instances worked on at once' }),
    SAAS_MONITOR_INTERVAL: setting(seconds(1, 3600), {
      default: '30',
      unit: 's',
      doc: 'pause between two looks at what runs, and at the disk (at most 30 s)',
    }),
    SAAS_USAGE_INTERVAL: setting(seconds(10, 604_800), {
      default: '21600',
      unit: 's',
      doc: "how old the measure of an instance's users and storage may get",
    }),
    SAAS_STOP_TIMEOUT: setting(seconds(5, 600), {
      default: '30',
      unit: 's',
      doc: 'longest stop; what would take longer is done by the next start. Less than the `stop_grace_period` of its container',
    }),
  },
  (c) => ({
    docker: { socketPath: c.SAAS_DOCKER_SOCKET, timeoutMs: c.SAAS_DOCKER_TIMEOUT },
    concurrency: c.SAAS_CONCURRENCY,
    monitorIntervalMs: c.SAAS_MONITOR_INTERVAL,
    stopTimeoutMs: c.SAAS_STOP_TIMEOUT,
    usageIntervalMs: c.SAAS_USAGE_INTERVAL,
  }),
);
