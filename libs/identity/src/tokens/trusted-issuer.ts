import type { Principal } from '@glacis/http';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { accessTokenType, principalOf, signatureAlgorithm } from './claims.js';

/** Whose tokens are accepted, with which keys, and what they say. */
export interface TrustedIssuer {
  /** `iss` as its tokens carry it. */
  issuer: string;
  /**
   * Finds the key of a token. Throws jose's `JWKSNoMatchingKey` when the issuer has no such key, and
   * `problems.unavailable` (503) when its keys cannot be had.
   */
  keys: JWTVerifyGetKey;
  /** Has the keys read again before they are used next; absent where they are always read. */
  refresh?: () => void;
  /** Signature algorithms (RFC 7518) that are accepted of it; any other never reaches a key. */
  algorithms: readonly string[];
  /** Must be among the `aud` of a token; absent for an issuer whose tokens carry none. */
  audience?: string;
  /** Values of `typ` in the JOSE header that are accepted, in lower case; `undefined` stands for none. */
  types: readonly (string | undefined)[];
  /**
   * Who a token speaks for, from claims whose signature, issuer, audience and times hold already; null when a claim
   * that we rely on is absent or of a wrong form.
   */
  principalOf(payload: JWTPayload, token: string): Principal | null;
}

/** The issuer of the suite itself, wherever its keys are taken from. */
export function ownIssuer(
  names: { issuer: string; audience: string },
  source: Pick<TrustedIssuer, 'keys' | 'refresh'>,
): TrustedIssuer {
  return {
    issuer: names.issuer,
    audience: names.audience,
    ...source,
    algorithms: [signatureAlgorithm],
    types: [accessTokenType],
    principalOf,
  };
}
