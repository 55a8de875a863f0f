/** Are the rules there that keep a customer's Odoo from private networks and from this host (compose/firewall.sh). */
import type { Config } from '../config/config.js';
import { openFleet, releaseIn } from '../wiring.js';
import type { Finding } from './finding.js';

export async function egressFindings(config: Config): Promise<Omit<Finding, 'part'>[]> {
  const { tryEgress } = await openFleet(config);
  const { subnet, tried, reached } = await tryEgress(releaseIn(config));
  if (reached.length === 0) return [{ ok: true, detail: `from ${subnet} nothing answers of ${tried.join(', ')}` }];
  const detail = `an instance reaches what it must not: ${reached.join(', ')}`;
  const advice = `Run on the engine's host: compose/firewall.sh up --pool ${config.instances.subnetPool}`;
  return [{ ok: true, isWarning: true, detail, advice }];
}
