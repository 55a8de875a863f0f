/** Which addresses are of a private network or of a network that stands before sites. */
import { BlockList, isIPv6 } from 'node:net';
import type { AddressKind } from '../domains/finding.js';

/** Private, of this machine, of a link, for documents, multicast: what no public site has. */
const INSIDE = listOf(
  `0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.168.0.0/16
   198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3 ::/127 64:ff9b::/96 100::/64 2001:db8::/32
   fc00::/7 fe80::/10 ff00::/8`,
);

/** Cloudflare's, as it publishes them, and Fastly's: behind them the name leads to the proxy. */
const PROXY = listOf(
  `103.21.244.0/22 103.22.200.0/22 103.31.4.0/22 104.16.0.0/13 104.24.0.0/14 108.162.192.0/18 131.0.72.0/22
   141.101.64.0/18 162.158.0.0/15 172.64.0.0/13 173.245.48.0/20 188.114.96.0/20 190.93.240.0/20 197.234.240.0/22
   198.41.128.0/17 2400:cb00::/32 2606:4700::/32 2803:f800::/32 2405:b500::/32 2405:8100::/32 2a06:98c0::/29
   2c0f:f248::/32 151.101.0.0/16 199.232.0.0/16 2a04:4e42::/32`,
);

function listOf(ranges: string): BlockList {
  const list = new BlockList();
  for (const range of ranges.trim().split(/\s+/)) {
    const [address = '', prefix] = range.split('/');
    list.addSubnet(address, Number(prefix), isIPv6(address) ? 'ipv6' : 'ipv4');
  }
  return list;
}

export function kindOf(address: string): AddressKind {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  // An IPv4 address in the dress of IPv6 is of no use to anybody on the net.
  if (/^::ffff:/i.test(address) || INSIDE.check(address, family)) return 'inside';
  return PROXY.check(address, family) ? 'proxy' : 'public';
}
