import { createHash } from 'node:crypto';

/**
 * One text for one value: members by code units, nothing between tokens (RFC 8785 for what a plan holds: no fractions), a
 * bigint as decimal text, absent members left out.
 */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member === 'bigint') return member.toString();
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

export const hashOf = (bytes: string): string =>
  `sha256:${createHash('sha256').update(bytes, 'utf8').digest('hex')}`;
