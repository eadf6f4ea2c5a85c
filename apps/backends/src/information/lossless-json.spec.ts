import * as fc from 'fast-check';
import { parseLosslessly } from './lossless-json.js';

describe('parseLosslessly', () => {
  it('keeps 64-bit members as decimal text', () => {
    const text =
      '{"snp_policy":{"minimum_tcb":15063977803600887811,"minimum_launch_tcb": 7,"minimum_build":8}}';
    expect(parseLosslessly(text)).toEqual({
      snp_policy: {
        minimum_tcb: '15063977803600887811',
        minimum_launch_tcb: '7',
        minimum_build: 8,
      },
    });
  });

  it('changes no number that JavaScript holds, and no digits inside of text', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const plain = JSON.stringify(JSON.parse(text), (_, value: unknown) =>
          typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
            ? 'wide'
            : value,
        );
        if (plain.includes('"wide"') || plain.includes('minimum')) return;
        expect(JSON.stringify(parseLosslessly(text))).toBe(plain);
      }),
    );
  });

  it('throws for what is no JSON', () => {
    for (const text of ['', '{', '007', '{"a":01}', "{'a':1}"]) {
      expect(() => parseLosslessly(text)).toThrow(SyntaxError);
    }
  });
});
