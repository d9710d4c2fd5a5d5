import { isIPv4 } from 'node:net';

/**
 * Whether the address is reachable from this machine only. @param host as in `host`, or from a `Host` header without its port
 */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'));
}
