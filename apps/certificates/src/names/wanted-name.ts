import { isIP } from 'node:net';
import { certificateIp, isHostName } from '@glacis/pki';

/** A name asked for: as the request spells it, and in the form in which names are compared and written. */
export interface WantedName {
  sent: string;
  canonical: string;
}

/** Null when the text is no address that a certificate may carry: no IP, zoned, or IPv4-mapped. */
export function wantedIp(sent: string): WantedName | null {
  const canonical = certificateIp(sent);
  return canonical === null ? null : { sent, canonical };
}

/** Null when the text is no host name. A `*` stands for a label's letters here: the rules refuse it by its own reason. */
export function wantedDnsName(sent: string): WantedName | null {
  return isHostName(sent.replaceAll('*', 'x')) ? { sent, canonical: sent.toLowerCase() } : null;
}

export const isAddress = (name: WantedName): boolean => isIP(name.canonical) !== 0;
