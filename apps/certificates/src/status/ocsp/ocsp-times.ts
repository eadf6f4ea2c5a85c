import type { OcspAnswer, OcspStatus } from '@glacis/pki';
import type { StoredStatus } from './status-reader.js';

/** Clocks of clients run slow: what we state holds since a minute ago. */
const backdateMs = 60_000;

export interface AnswerTerms {
  now: Date;
  nextUpdateMs: number;
  statusRetentionMs: number;
  /** notBefore of the issuer: its answers reach back no further. */
  issuerNotBefore: Date;
}

/** The statement about one certificate, with its times (`certificates.md` 6). */
export function answerFor(certIdDer: Buffer, stored: StoredStatus, terms: AnswerTerms): OcspAnswer {
  const producedAt = wholeSecond(terms.now.getTime());
  const status = ocspStatus(stored);
  const since = status.kind === 'revoked' ? status.at.getTime() : 0;
  return {
    certIdDer,
    status,
    thisUpdate: new Date(Math.max(producedAt.getTime() - backdateMs, since)),
    nextUpdate: new Date(producedAt.getTime() + terms.nextUpdateMs),
    archiveCutoff: isExpired(stored, terms.now) ? archiveCutoff(terms, producedAt) : undefined,
  };
}

export function isExpired({ certificate }: StoredStatus, now: Date): boolean {
  return certificate !== null && certificate.notAfter <= now;
}

function ocspStatus({ certificate }: StoredStatus): OcspStatus {
  if (certificate === null) return { kind: 'unknown' };
  if (certificate.status === 'valid' || certificate.revokedAt === null) return { kind: 'good' };
  const at = wholeSecond(certificate.revokedAt.getTime());
  return { kind: 'revoked', at, reason: certificate.reason };
}

function archiveCutoff(terms: AnswerTerms, producedAt: Date): Date {
  const kept = producedAt.getTime() - terms.statusRetentionMs;
  return new Date(Math.max(kept, terms.issuerNotBefore.getTime()));
}

const wholeSecond = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000);
