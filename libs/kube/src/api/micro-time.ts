/** A `MicroTime` of the API: RFC 3339 with exactly six digits of a second. */
export function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}
