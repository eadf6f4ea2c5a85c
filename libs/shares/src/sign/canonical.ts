/** What JSON can hold. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [member: string]: Json | undefined };

/**
 * The one text of a JSON value (RFC 8785, JCS): members sorted by UTF-16 code units, numbers as ECMAScript writes them,
 * nothing between tokens; members that are undefined are left out.
 * @throws TypeError for what I-JSON (RFC 7493) does not know: numbers that are not finite, lone surrogates
 */
export function canonicalJson(value: Json): string {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new TypeError('a number is not finite');
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, member]) =>
      member === undefined ? [] : [`${text(name)}:${canonicalJson(member)}`],
    );
  return `{${members.join(',')}}`;
}

const isList = (value: object): value is readonly Json[] => Array.isArray(value);

function text(value: string): string {
  if (/\p{Surrogate}/u.test(value)) throw new TypeError('a text has half of a character');
  return JSON.stringify(value);
}
