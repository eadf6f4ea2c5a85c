import { createHash } from 'node:crypto';

/** Strong entity tag: hex SHA-256 of the body. */
export function bodyTag(body: Buffer | string): string {
  return `"${createHash('sha256').update(body).digest('hex')}"`;
}

/** True when the caller has these bytes already (RFC 9110 13.2.2: the tag goes before the date). */
export function isNotModified(
  headers: { ifNoneMatch?: string; ifModifiedSince?: string },
  current: { etag: string; lastModified: Date },
): boolean {
  const { ifNoneMatch, ifModifiedSince } = headers;
  if (ifNoneMatch !== undefined) {
    const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    return tags.includes('*') || tags.includes(current.etag);
  }
  const since = ifModifiedSince === undefined ? Number.NaN : Date.parse(ifModifiedSince);
  return since >= Math.floor(current.lastModified.getTime() / 1000) * 1000;
}
