import * as fc from 'fast-check';
import { warningsIn } from './warnings.js';

const quoted = (text: string): string => `299 - "${text.replaceAll(/["\\]/g, '\\$&')}"`;

describe('warnings of the API server', () => {
  it('are the texts of all of them, however they are spread over lines', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ' ', '2', '9', '-', ',', '"', '\\') });
    fc.assert(
      fc.property(fc.array(fc.array(text, { minLength: 1 })), (lines) => {
        const sent = lines.map((texts) => texts.map(quoted).join(', '));
        expect(warningsIn(sent)).toEqual(lines.flat());
      }),
    );
  });

  it('are none where there is no header, or another code', () => {
    expect([warningsIn(), warningsIn(['110 - "stale"', 'nonsense'])]).toEqual([[], []]);
  });
});
