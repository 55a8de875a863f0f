/** What the engine lists, in our words. Pure. */
import type { Network, Subnet, Volume } from './types.js';

interface ListedNetwork {
  Id: string;
  Name: string;
  Labels?: Record<string, string>;
  IPAM?: { Config?: { Subnet?: string }[] };
  Created: string;
}

interface ListedVolume {
  Name: string;
  Labels?: Record<string, string>;
  CreatedAt?: string;
}

export function networkOf({ Id, Name, Labels, IPAM, Created }: ListedNetwork): Network {
  const subnet = IPAM?.Config?.[0]?.Subnet ?? null;
  return { id: Id, name: Name, labels: Labels ?? {}, subnet, createdAt: new Date(Created) };
}

/** What the engine makes a bridge network without IPv6 from. */
export function networkOptions(name: string, labels: Record<string, string>, subnet?: Subnet) {
  const options = { Name: name, CheckDuplicate: true, Driver: 'bridge', Labels: labels, EnableIPv6: false };
  if (!subnet) return options;
  const { range, gateway, dynamic } = subnet;
  return { ...options, IPAM: { Driver: 'default', Config: [{ Subnet: range, Gateway: gateway, IPRange: dynamic }] } };
}

export function volumeOf({ Name, Labels, CreatedAt }: ListedVolume): Volume {
  return { name: Name, labels: Labels ?? {}, createdAt: new Date(CreatedAt ?? 0) };
}
