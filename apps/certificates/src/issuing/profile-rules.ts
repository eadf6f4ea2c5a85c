import { problems } from '@glacis/http';
import { z } from 'zod';

/** Kinds of leaves (`certificates.md` 5.2): `short` is told of by no OCSP pointer and no CRL shard, `svid` is an X509-SVID. */
export const profiles = ['standard', 'short', 'svid'] as const;
export type Profile = (typeof profiles)[number];

/** A profile by name, in a body or a query. */
export const profile = z.enum(profiles).nullish();

const minute = 60_000;
const shortest = 5 * minute;
const longest = 24 * 60 * minute;

/** Entities whose certificates are short-lived unless something else is asked for: they renew by themselves. */
const shortByDefault = ['service', 'party', 'cvm'];

export interface ProfileWish {
  entityType: string;
  profile?: Profile | null;
  /** Undefined: the default of the profile. */
  ttlMs: number | undefined;
}

/** What is issued for a key that its holder made. A guest that asks for a longer life cannot renew, so it gets that. */
export function profileOf(wish: ProfileWish): Profile {
  const isShort = shortByDefault.includes(wish.entityType) && (wish.ttlMs ?? 0) <= longest;
  return wish.profile ?? (isShort ? 'short' : 'standard');
}

/**
 * Life of a certificate: as wished, within what its profile allows.
 * @throws Problem `malformed` for a `short` one under 5 minutes
 */
export function lifeOf(of: Profile, ttlMs: number | undefined, defaultMs: number): number {
  if (of !== 'short') return ttlMs ?? defaultMs;
  if (ttlMs !== undefined && ttlMs < shortest) {
    throw problems.malformed('ttl: expected at least 5m for the profile short', {
      error: 'ttl under 5m',
      members: { field: 'ttl' },
    });
  }
  return Math.min(ttlMs ?? longest, longest);
}
