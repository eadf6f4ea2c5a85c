import { generateKeyPairSync } from 'node:crypto';
import { systemClock, type Clock } from '@glacis/runtime';
import { RevokedTokens } from './tokens/revoked-tokens.js';
import { TokenIssuer } from './tokens/token-issuer.js';
import { TokenVerifier } from './tokens/token-verifier.js';

export interface TestTokenRequest {
  /** Default `tester`. */
  subject?: string;
  /** Default `tenant-a`; null for a token without tenant. */
  tenant?: string | null;
  /** Default `['member']`. */
  roles?: string[];
  /** Milliseconds. Default one hour. */
  ttlMs?: number;
}

export interface TestIdentity {
  issuer: TokenIssuer;
  verifier: TokenVerifier;
  revoked: RevokedTokens;
  /** The text of a fresh token. */
  token(request?: TestTokenRequest): Promise<string>;
  /** The same as value of the `Authorization` header. */
  bearer(request?: TestTokenRequest): Promise<string>;
}

/** A real issuer and verifier around a throw-away key: what a test needs to call routes. */
export async function testIdentity(clock: Clock = systemClock): Promise<TestIdentity> {
  const issuer = await TokenIssuer.fromKey(generateKeyPairSync('ed25519').privateKey, { clock });
  const revoked = new RevokedTokens(clock);
  const verifier = new TokenVerifier({ issuers: [issuer.trusted()], revoked, clock });
  const token = async (request: TestTokenRequest = {}): Promise<string> => {
    const { subject = 'tester', tenant = 'tenant-a', roles = ['member'] } = request;
    const issued = await issuer.issue({
      subject,
      tenant,
      roles,
      ttlMs: request.ttlMs ?? 3_600_000,
    });
    return issued.token;
  };
  return {
    issuer,
    verifier,
    revoked,
    token,
    bearer: async (request) => `Bearer ${await token(request)}`,
  };
}
