import { certificateIp } from './addresses.js';

/**
 * True for a host name in A-labels (`certificates.md` 2.2): ASCII letters, digits and hyphens, labels of 1 to 63
 * characters that neither begin nor end with a hyphen, 253 in all, no final dot, last label not only digits.
 * Single labels pass here; wildcards do not.
 */
export function isHostName(text: string): boolean {
  if (text.length > 253) return false;
  const labels = text.split('.');
  return labels.every(isLabel) && !/^\d+$/.test(labels[labels.length - 1] ?? '');
}

// In positions 3 and 4 "--" announces an encoding; of those only "xn--" has a meaning (RFC 5890 2.3.1).
const isLabel = (label: string): boolean =>
  /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label) &&
  (label.slice(2, 4) !== '--' || /^xn--/i.test(label));

/**
 * The one form in which names are compared and stored (`certificates.md` 2.5): lower-case host name, or compressed
 * address. Null when the text is neither a host name nor an address that a certificate may carry.
 */
export function canonicalName(text: string): string | null {
  const address = certificateIp(text);
  if (address !== null) return address;
  return isHostName(text) ? text.toLowerCase() : null;
}
