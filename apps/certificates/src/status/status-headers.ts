import { createHash } from 'node:crypto';

/** Strong entity tag: hex SHA-256 of the body. */
export function bodyTag(body: Buffer | string): string {
  return `"${createHash('sha256').update(body).digest('hex')}"`;
}

/**
 * True when the caller has these bytes already. The tag alone tells: two CRLs of one second have the same date, so
 * If-Modified-Since could hide a revocation.
 */
export function isNotModified(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}
