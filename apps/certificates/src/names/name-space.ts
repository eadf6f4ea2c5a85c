import { isIP } from 'node:net';
import {
  canonicalName,
  cidrContains,
  cidrsOverlap,
  cidrText,
  isHostName,
  parseCidr,
  type Cidr,
} from '@glacis/pki';

/** A set of names: single ones, everything below DNS suffixes, and address blocks. All in canonical form. */
export interface NameSpace {
  names: ReadonlySet<string>;
  /** Without a leading dot; a suffix holds itself and everything below it. */
  suffixes: readonly string[];
  cidrs: readonly Cidr[];
}

const below = (suffix: string, name: string): boolean =>
  name === suffix || name.endsWith(`.${suffix}`);

/** @param name host name or address in canonical form */
export function covers(space: NameSpace, name: string): boolean {
  if (space.names.has(name)) return true;
  return isIP(name) === 0
    ? space.suffixes.some((suffix) => below(suffix, name))
    : space.cidrs.some((cidr) => cidrContains(cidr, name));
}

/** True when some name lies in both. */
export function overlap(a: NameSpace, b: NameSpace): boolean {
  const suffixesMeet = a.suffixes.some((one) =>
    b.suffixes.some((other) => below(one, other) || below(other, one)),
  );
  return (
    suffixesMeet ||
    a.cidrs.some((one) => b.cidrs.some((other) => cidrsOverlap(one, other))) ||
    [...a.names].some((name) => covers(b, name)) ||
    [...b.names].some((name) => covers(a, name))
  );
}

/** Canonical DNS suffix, a leading dot dropped; null when it is no host name. */
export function canonicalSuffix(text: string): string | null {
  const suffix = text.startsWith('.') ? text.slice(1) : text;
  return isHostName(suffix) ? suffix.toLowerCase() : null;
}

/** Canonical address block (`10.0.0.0/8`); null when it is none. */
export function canonicalCidr(text: string): string | null {
  const cidr = parseCidr(text);
  return cidr === null ? null : cidrText(cidr);
}

/** A space of suffixes and blocks that are known to hold; others are left out. */
export function spaceOf(suffixes: readonly string[], cidrs: readonly string[]): NameSpace {
  return {
    names: new Set(),
    suffixes,
    cidrs: cidrs.map(parseCidr).filter((cidr) => cidr !== null),
  };
}

const loopback = ['127.0.0.0/8', '::1/128'];

/** Loopback addresses and `localhost`, which count as our own unless a setting opens them. */
export const loopbackNames: NameSpace = {
  ...spaceOf([], loopback),
  names: new Set(['localhost']),
};

/**
 * Reads names, `.suffixes` and CIDRs of the setting RESERVED_NAMES and the hosts of our own URLs.
 * @throws {RangeError} naming the item that is none of them
 */
export function reservedSpace(items: readonly string[], urls: readonly string[]): NameSpace {
  const names = new Set(urls.map(hostOf).filter((host) => host !== null));
  const suffixes: string[] = [];
  const cidrs: Cidr[] = [];
  for (const item of items) {
    const suffix = item.startsWith('.') ? canonicalSuffix(item) : null;
    const cidr = parseCidr(item);
    const name = canonicalName(item);
    if (suffix !== null) suffixes.push(suffix);
    else if (cidr !== null) cidrs.push(cidr);
    else if (name !== null) names.add(name);
    else throw new RangeError(`reserved name '${item}' is no host name, .suffix or CIDR`);
  }
  return { names, suffixes, cidrs };
}

function hostOf(url: string): string | null {
  return canonicalName(new URL(url).hostname.replace(/^\[|\]$/g, ''));
}
