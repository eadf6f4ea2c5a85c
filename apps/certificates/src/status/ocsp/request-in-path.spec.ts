import fc from 'fast-check';
import { requestInPath } from './request-in-path.js';

describe('an OCSP request in a path', () => {
  it('is the same bytes raw, percent-encoded, and with spaces for plus signs', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
        const base64 = Buffer.from(bytes).toString('base64');
        const spellings = [
          base64,
          encodeURIComponent(base64),
          base64.replaceAll('+', '%20'),
          `${base64}?force_status=GOOD`,
        ];
        for (const spelling of spellings) {
          const read = requestInPath(`/certs/ocsp/${spelling}`);
          expect(read?.equals(Buffer.from(bytes))).toBe(true);
        }
      }),
    );
  });

  it.each(['', '/', '/A-_A', '/%zz', '/%00'])('is none in %j', (rest) => {
    expect(requestInPath(`/certs/ocsp${rest}`)).toBeNull();
  });
});
