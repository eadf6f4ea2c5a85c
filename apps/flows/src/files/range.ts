/** Positions of the first and the last byte. */
export interface Range {
  start: number;
  end: number;
}

/**
 * What a `Range` header asks for (RFC 9110, 14): one range of bytes. Undefined means the whole file: no header, or one
 * that a server may ignore, such as several ranges.
 * @param size of the file in bytes
 */
export function rangeOf(header: string | undefined, size: number): Range | 'none' | undefined {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(header ?? '') ?? [];
  const [, suffix] = /^bytes=-(\d+)$/.exec(header ?? '') ?? [];
  if (suffix !== undefined) return within(Math.max(0, size - Number(suffix)), size - 1);
  if (first === undefined) return undefined;
  if (last && Number(last) < Number(first)) return undefined;
  return within(Number(first), last ? Math.min(Number(last), size - 1) : size - 1);
}

const within = (start: number, end: number): Range | 'none' =>
  start > end ? 'none' : { start, end };
