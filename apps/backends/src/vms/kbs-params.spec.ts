import { areAllowedParams } from './kbs-params.js';

describe('backends.md 8: the key broker of a VM', () => {
  it.each([
    ['', true],
    ['cc_kbc::http://kbs.example:8080', true],
    ['https://KBS.example/path', true],
    ['cc_kbc::http://evil.example', false],
    ['cc_kbc::http://kbs.example@evil.example', false],
    ['cc_kbc::cc_kbc::http://kbs.example', false],
    ['kbs.example', false],
    ['cc_kbc::', false],
  ])('%j: %s', (params, allowed) => {
    expect(areAllowedParams(params, ['kbs.example'])).toBe(allowed);
    if (params !== '') expect(areAllowedParams(params, [])).toBe(false);
  });
});
