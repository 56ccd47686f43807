// Which internet addresses may be talked to. Everything special-purpose is refused: what a stranger names must never reach
// this machine, its neighbours, or a cloud's metadata service.
import ipaddr from 'ipaddr.js';

/** IPv6 blocks inside 2000::/3 that are not ordinary hosts, though some libraries call them unicast. */
const reserved6: [ipaddr.IPv6, number][] = [
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '2620:4f:8000::/48',
].map((block) => ipaddr.IPv6.parseCIDR(block));
const global6 = ipaddr.IPv6.parseCIDR('2000::/3');
/** Benchmarking, documentation, 6to4 relays and protocol assignments, named here so that no library version decides. */
const reserved4 = [
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
].map((block) => ipaddr.IPv4.parseCIDR(block));

/** Whether an address (not a name) is an ordinary host on the public internet. Zone ids and odd spellings are not. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address) || address.includes('%')) return false;
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast') return false;
  if (parsed instanceof ipaddr.IPv4) return !reserved4.some((block) => parsed.match(block));
  return parsed.match(global6) && !reserved6.some((block) => parsed.match(block));
}
