import type { KeyObject } from 'node:crypto';
import { publicJwk } from '@glacis/identity';
import { CLOCK, newId, systemClock, type Clock } from '@glacis/runtime';
import { Store, type Tx } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { createLocalJWKSet, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { Secrets } from './secrets.js';
import { signingKey } from './signing-key.js';

/** `iss` and `aud` of the tokens of this service. */
export const JOBS_AUDIENCE = 'glacis-jobs';

const [algorithm, type] = ['EdDSA', 'at+jwt'];
/** Milliseconds of a token that is good as long as its job is there. */
const asLongAsTheJob = 10 * 366 * 86_400_000;

/** Whom a token of this service speaks for: the analyst of a job, or one of its owners. */
export interface JobTokenHolder {
  role: 'analyst' | 'owner';
  job: string;
  tenant: string;
  owner: string | null;
}

const claims = z.object({
  jti: z.uuid(),
  tenant: z.string(),
  job: z.string(),
  role: z.enum(['analyst', 'owner']),
  owner: z.string().nullable().default(null),
});

/** Tokens for one job (`jobs.md` 12). Each has a row, and counts until that is revoked or goes with the job. */
@Injectable()
export class JobTokens {
  constructor(
    @Inject(Secrets) private readonly secrets: Secrets,
    @Inject(Store) private readonly store: Store,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  /** @param ttlMs default: as long as the job is there */
  async issue(
    tx: Tx,
    { role, job, tenant, owner }: JobTokenHolder,
    ttlMs = asLongAsTheJob,
  ): Promise<{ token: string; expiresAt: Date }> {
    const now = Math.floor(this.clock.now().getTime() / 1000);
    const exp = now + Math.floor(ttlMs / 1000);
    const expiresAt = new Date(exp * 1000);
    const id = newId(this.clock);
    await tx.query(
      'INSERT INTO job_tokens (id, job, role, owner, expires_at) VALUES ($1, $2, $3, $4, $5)',
      [id, job, role, owner, expiresAt],
    );
    const key = keyOf(this.secrets.current);
    const { kid } = await publicJwk(key);
    const token = await new SignJWT({ tenant, job, role, ...(owner !== null && { owner }) })
      .setProtectedHeader({ alg: algorithm, typ: type, kid })
      .setIssuer(JOBS_AUDIENCE)
      .setAudience(JOBS_AUDIENCE)
      .setJti(id)
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(exp)
      .sign(key);
    return { token, expiresAt };
  }

  /** Undefined: not one of ours, expired, revoked, or of a job that is gone. */
  async verify(token: string): Promise<JobTokenHolder | undefined> {
    const keys = await Promise.all(this.secrets.accepted.map((each) => publicJwk(keyOf(each))));
    const verified = await jwtVerify(token, createLocalJWKSet({ keys }), {
      algorithms: [algorithm],
      typ: type,
      issuer: JOBS_AUDIENCE,
      audience: JOBS_AUDIENCE,
      currentDate: this.clock.now(),
      requiredClaims: ['exp', 'nbf', 'jti'],
    }).catch(() => undefined);
    const { data } = claims.safeParse(verified?.payload);
    if (data === undefined) return undefined;
    const sql = 'SELECT 1 FROM job_tokens WHERE id = $1 AND job::text = $2 AND revoked_at IS NULL';
    const known = await this.store.query(sql, [data.jti, data.job]);
    return known.length === 1 ? data : undefined;
  }

  /** Those of an owner of a job end now. */
  async revokeOwner(tx: Tx, job: string, owner: string): Promise<void> {
    await tx.query(
      'UPDATE job_tokens SET revoked_at = $3 WHERE job = $1 AND owner = $2 AND revoked_at IS NULL',
      [job, owner, this.clock.now()],
    );
  }
}

const keyOf = (secret: Buffer): KeyObject => signingKey(secret, 'glacis-jobs-token-1');
