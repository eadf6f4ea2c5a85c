import { createHash, randomBytes } from 'node:crypto';
import type { EnrolmentToken, EnrolmentTokenRequest } from '@glacis/contracts';
import { RpcError, status } from '@glacis/grpc';
import type { Audit } from '@glacis/identity';
import { cidrText, parseCidr } from '@glacis/pki';
import type { Clock } from '@glacis/runtime';
import type { Store } from '@glacis/store';
import type { Authority } from '../authority/authority.js';
import { assertKeeper } from '../names/entity-directory.js';
import { caUnavailable } from '../problems.js';
import { shareRevocations } from '../revocation/revocation.store.js';
import { endOldest, insertToken, lockTokensOf } from './enrolment-tokens.store.js';

export interface EnrolmentTokensParts {
  store: Store;
  authority: Authority;
  audit: Audit;
  clock: Clock;
}

const maxTtlSeconds = 3_600;

/** What is kept of a token in its place. */
export const tokenHash = (token: string): Buffer => createHash('sha256').update(token).digest();

/** Makes the tokens by which hosts get their first certificate (`certificates.md` 3.3). */
export class EnrolmentTokens {
  constructor(private readonly parts: EnrolmentTokensParts) {}

  /** @throws {RpcError} PERMISSION_DENIED, INVALID_ARGUMENT, or NOT_FOUND when the backend has been deleted */
  async create(request: EnrolmentTokenRequest): Promise<EnrolmentToken> {
    const { store, audit, clock } = this.parts;
    const { tenant, backendId, requestedBy } = request;
    assertKeeper(requestedBy);
    const caSha256 = this.rootSha256();
    const now = clock.now();
    const expiresAt = new Date(now.getTime() + ttlMsOf(request));
    const cidr = cidrOf(request);
    // In hex: no shell and no command line takes a token for an option.
    const token = randomBytes(32).toString('hex');
    await store.transaction(async (tx) => {
      await shareRevocations(tx);
      await lockTokensOf(tx, backendId);
      const written = await insertToken(tx, {
        sha256: tokenHash(token),
        tenant,
        backendId,
        cidr,
        expiresAt,
        createdBy: requestedBy,
        createdAt: now,
      });
      if (!written) throw new RpcError(status.NOT_FOUND, 'not-found', 'the backend is gone');
      await endOldest(tx, backendId, now);
      await audit.record(tx, {
        actor: requestedBy,
        tenant,
        action: 'enrolment_token.create',
        subject: backendId,
        detail: { cidr, expires_at: expiresAt },
      });
    });
    return { token, expiresAt, caSha256 };
  }

  private rootSha256(): string {
    const root = this.parts.authority.cas.currentRoot();
    if (root === undefined) throw caUnavailable('no root is valid');
    return createHash('sha256').update(root.der).digest('hex');
  }
}

function ttlMsOf({ ttlSeconds }: EnrolmentTokenRequest): number {
  if (ttlSeconds >= 1 && ttlSeconds <= maxTtlSeconds) return ttlSeconds * 1000;
  throw invalid(`ttl_seconds: expected 1 to ${maxTtlSeconds}`);
}

/** With host bits cleared; null: any address will do. */
function cidrOf({ cidr }: EnrolmentTokenRequest): string | null {
  if (cidr === '') return null;
  const block = parseCidr(cidr);
  if (block === null) throw invalid('cidr: expected an address block');
  return cidrText(block);
}

const invalid = (reason: string): RpcError =>
  new RpcError(status.INVALID_ARGUMENT, 'malformed', reason);
