import fc from 'fast-check';
import { leaksIn, type Secret } from './marked.js';

const secret = (value: Secret['value']): Secret[] => [{ kind: 'a secret', value }];
const isFound = (text: string, value: Secret['value']): boolean =>
  leaksIn(new Map([['here', text]]), secret(value)).length === 1;

describe('the search for what must not be told', () => {
  it('finds bytes in whatever form, wherever in a longer text they begin', () => {
    const encodings = fc.constantFrom('latin1', 'hex', 'base64', 'base64url');
    const bytes = (minLength: number): fc.Arbitrary<Buffer> =>
      fc.uint8Array({ minLength, maxLength: 40 }).map((each) => Buffer.from(each));
    fc.assert(
      fc.property(bytes(0), bytes(8), bytes(0), encodings, (before, value, after, encoding) => {
        const text = Buffer.concat([before, value, after]).toString(encoding as BufferEncoding);
        expect(isFound(text, value)).toBe(true);
      }),
    );
  });

  it('finds text as it stands in JSON and in a URL', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8, unit: 'grapheme' }), (value) => {
        expect(isFound(JSON.stringify({ a: [value] }), value)).toBe(true);
        expect(isFound(`/x?y=${encodeURIComponent(value)}`, value)).toBe(true);
      }),
    );
  });

  it('finds a number that stands alone, and names neither it nor its place of right', () => {
    expect(isFound('{"n":-1234567,"m":1}', -1234567)).toBe(true);
    expect(isFound('a 11234567 b1234567', 1234567)).toBe(false);
    const at = /^here$/;
    expect(
      leaksIn(new Map([['here', 'abcdefgh']]), [{ kind: 'x', value: 'abcdefgh', at }]),
    ).toEqual([]);
  });
});
