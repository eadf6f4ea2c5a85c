/** Members that are unsigned 64-bit numbers, written as numbers by some measuring programs. */
const WIDE = new Set(['"minimum_tcb"', '"minimum_launch_tcb"']);
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Parses JSON without loss: 64-bit members, and every integer that a JavaScript number cannot hold, become decimal
 * text.
 * @throws {SyntaxError} when it is no JSON
 */
export function parseLosslessly(text: string): unknown {
  JSON.parse(text);
  let lastString = '';
  const quoted = text.replace(STRING_OR_NUMBER, (token) => {
    if (token.startsWith('"')) {
      lastString = token;
      return token;
    }
    const wide = WIDE.has(lastString) || !Number.isSafeInteger(Number(token));
    return wide && /^-?\d+$/.test(token) ? `"${token}"` : token;
  });
  return JSON.parse(quoted);
}
