import { isIPv4 } from 'node:net';
import { cidrContains, parseCidr } from '@glacis/pki';
import type { TokenGrant } from './enrolment-tokens.store.js';

/** What a host says of itself, and where it comes from. */
export interface TokenUse {
  /** Of the path; undefined where the path names none, and the token alone tells. */
  tenant: string | undefined;
  backendId: string;
  /** As the socket tells it. */
  address: string;
}

/** Whether a token that was found is good for this host now. One that is not is refused in the same words as a forged one. */
export function tokenFits(grant: TokenGrant, use: TokenUse, now: Date): boolean {
  return (
    grant.backendId === use.backendId &&
    (use.tenant === undefined || grant.tenant === use.tenant) &&
    grant.expiresAt > now &&
    (grant.cidr === null || isWithin(grant.cidr, use.address))
  );
}

function isWithin(block: string, address: string): boolean {
  const cidr = parseCidr(block);
  return cidr !== null && cidrContains(cidr, plainAddress(address));
}

/** Without the zone of a link-local address, and IPv4 as itself where the socket takes both families. */
function plainAddress(address: string): string {
  const [plain = ''] = address.split('%', 1);
  const mapped = plain.replace(/^::ffff:/i, '');
  return isIPv4(mapped) ? mapped : plain;
}
