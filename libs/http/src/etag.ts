import { problems } from './problems.js';

/** The strong entity tag (RFC 9110, 8.8.3) of a row version. */
export function etagOf(version: number | string | bigint): string {
  return `"${version}"`;
}

const entityTag = /^(W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/;

/**
 * Compares `If-Match` (RFC 9110, 13.1.1) with the tag of the object as it is: no header passes, `*` passes for any
 * object that exists, else one of the listed strong tags must be the same.
 * @throws {Problem} 412 when none matches, 400 when the header is malformed
 */
export function checkIfMatch(header: string | undefined, etag: string): void {
  if (header === undefined || header.trim() === '*') return;
  const tags = header.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).map((tag) => tag.trim());
  if (!tags.every((tag) => entityTag.test(tag))) {
    throw problems.malformed('If-Match: expected entity tags or *', {
      members: { field: 'If-Match' },
    });
  }
  if (!tags.includes(etag)) {
    throw problems.preconditionFailed('the object has changed since it was read');
  }
}
