import type { NameHolder } from '@glacis/contracts';
import { cidrContains, parseCidr, type Cidr } from '@glacis/pki';
import { covers, loopbackNames, type NameSpace } from './name-space.js';
import { isAddress, type WantedName } from './wanted-name.js';

/** Why a name is refused (`certificates.md` 2.5). Another tenant's name is not told apart from any other. */
export type NameRefusal =
  'own_service' | 'loopback' | 'not_granted' | 'wildcard' | 'single_label' | 'not_unicast';

/** What the rules need to know about the names asked for. */
export interface NameFacts {
  allowLoopback: boolean;
  /** Names of our own services among those asked. */
  own: (name: string) => boolean;
  /** Names that the asking tenant's policy grants; undefined when it has neither suffix nor block. */
  granted: NameSpace | undefined;
  /** Names that the policies of other tenants grant. */
  othersGranted: (name: string) => boolean;
  /** Whose registered address a name is. */
  holder: (name: string) => NameHolder;
  /** No other tenant registered the entity's address before it. */
  addressIsOurs: boolean;
}

/**
 * What the names are for: `information` on a leaf for clients, `server` on one with serverAuth; `renewal` is
 * information that was granted once and is held against our own names only; `svid` is a leaf that carries none.
 */
export type NameUse = 'information' | 'server' | 'renewal' | 'svid';

export interface RefusedName {
  name: string;
  reason: NameRefusal;
}

/** The first name that may not stand in the certificate, or null. */
export function firstRefused(
  names: readonly WantedName[],
  use: NameUse,
  facts: NameFacts,
): RefusedName | null {
  for (const name of names) {
    const reason = refusalOf(name, use, facts);
    if (reason !== null) return { name: name.sent, reason };
  }
  return null;
}

function refusalOf(name: WantedName, use: NameUse, facts: NameFacts): NameRefusal | null {
  const form = formRefusal(name);
  if (form !== null) return form;
  if (use === 'svid') return 'not_granted';
  if (covers(loopbackNames, name.canonical)) return facts.allowLoopback ? null : 'loopback';
  if (facts.own(name.canonical)) return 'own_service';
  return isGranted(name.canonical, use, facts) ? null : 'not_granted';
}

const notUnicast: Cidr[] = ['0.0.0.0/32', '224.0.0.0/4', '255.255.255.255/32', '::/128', 'ff00::/8']
  .map(parseCidr)
  .filter((cidr) => cidr !== null);

function formRefusal(name: WantedName): NameRefusal | null {
  const { canonical } = name;
  if (isAddress(name)) {
    return notUnicast.some((cidr) => cidrContains(cidr, canonical)) ? 'not_unicast' : null;
  }
  if (canonical.includes('*')) return 'wildcard';
  return canonical.includes('.') || canonical === 'localhost' ? null : 'single_label';
}

function isGranted(name: string, use: NameUse, facts: NameFacts): boolean {
  if (use === 'renewal') return true;
  const holder = facts.holder(name);
  if (use === 'information') return holder === 1 || (holder !== 3 && !facts.othersGranted(name));
  if (facts.granted !== undefined) return covers(facts.granted, name);
  return holder === 1 && facts.addressIsOurs && !facts.othersGranted(name);
}
