import { randomBytes } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import type { Clock } from '@glacis/runtime';
import type { Queryable } from '@glacis/store';
import type { CertificatesMetrics } from '../metrics.js';
import { downloadTokenInvalid } from '../problems.js';
import type { TokenKeys } from './token-keys.js';

export interface DownloadTokensParts {
  keys: TokenKeys;
  ttlMs: number;
  metrics: CertificatesMetrics;
  clock: Clock;
}

/** What a token opens: the files of a certificate by its serial, or the CA. */
export type DownloadSubject = string;
export const caSubject: DownloadSubject = 'ca';

const issuer = 'glacis';
const subject = 'certs';

interface Claims {
  jti: string;
  serial: DownloadSubject;
}

/** One-use tokens for downloads without a bearer token (`certificates.md` 3.2). */
export class DownloadTokens {
  constructor(private readonly parts: DownloadTokensParts) {}

  /** @param createdBy who asked, remembered for the audit entry of the download */
  async issue(db: Queryable, what: DownloadSubject, createdBy: string): Promise<string> {
    const { keys, ttlMs, clock, metrics } = this.parts;
    const { kid, secret } = keys.current();
    const jti = randomBytes(16).toString('base64url');
    const expires = new Date(clock.now().getTime() + ttlMs);
    const token = await new SignJWT({ serial: what })
      .setProtectedHeader({ alg: 'HS256', kid })
      .setIssuer(issuer)
      .setSubject(subject)
      .setJti(jti)
      .setExpirationTime(expires)
      .sign(secret);
    await db.query(
      `INSERT INTO download_tokens (jti, subject, created_by, expires_at) VALUES ($1, $2, $3, $4)`,
      [jti, what, createdBy, expires],
    );
    metrics.downloadTokens.inc({ result: 'issued' });
    return token;
  }

  /**
   * Uses the token up and tells who asked for it. Called in the transaction of the download.
   * @throws Problem `download-token-invalid`, the same for whatever is wrong with it
   */
  async redeem(db: Queryable, what: DownloadSubject, token: string): Promise<string> {
    const claims = await this.verified(token);
    if (claims === null || claims.serial !== what) throw this.refused();
    const [used] = await db.query<{ created_by: string }>(
      `DELETE FROM download_tokens WHERE jti = $1 AND subject = $2 AND expires_at > $3
       RETURNING created_by`,
      [claims.jti, what, this.parts.clock.now()],
    );
    if (used === undefined) throw this.refused();
    this.parts.metrics.downloadTokens.inc({ result: 'used' });
    return used.created_by;
  }

  /** What the token opens. @throws Problem `download-token-invalid` */
  async subjectOf(token: string): Promise<DownloadSubject> {
    const claims = await this.verified(token);
    if (claims === null) throw this.refused();
    return claims.serial;
  }

  private refused(): Error {
    this.parts.metrics.downloadTokens.inc({ result: 'refused' });
    return downloadTokenInvalid();
  }

  private async verified(token: string): Promise<Claims | null> {
    try {
      const { kid } = decodeProtectedHeader(token);
      const key = kid === undefined ? undefined : await this.parts.keys.find(kid);
      if (key === undefined) return null;
      const { payload } = await jwtVerify<Claims>(token, key.secret, {
        algorithms: ['HS256'],
        issuer,
        subject,
        clockTolerance: 0,
        currentDate: this.parts.clock.now(),
        requiredClaims: ['exp', 'jti', 'serial'],
      });
      return { jti: payload.jti, serial: payload.serial };
    } catch (error) {
      if (isTokenError(error)) return null;
      throw error;
    }
  }
}

/** What the token library throws of any malformed, forged or expired token. */
function isTokenError(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return error instanceof TypeError || (typeof code === 'string' && code.startsWith('ERR_J'));
}
