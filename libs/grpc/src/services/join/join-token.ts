/** Injection token of the join token of this process (a `Buffer`), or of undefined where it has none. */
export const JOIN_TOKEN = Symbol('JOIN_TOKEN');

const leastBytes = 32;

/** The secret that services which may join share with `certificates`: 32 random bytes or more, in hex or base64. */
export function parseJoinToken(text: string): Buffer | undefined {
  const isHex = /^([0-9a-f]{2})+$/i.test(text);
  if (!isHex && !/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, isHex ? 'hex' : 'base64');
  return bytes.length >= leastBytes ? bytes : undefined;
}
