import { isUnavailable, unavailableDetail } from './failures.js';

const unavailable = 14;

describe('a dependency that does not answer', () => {
  it('is named where a service has said so', () => {
    const refusal = Object.assign(new Error('certificates is not available'), {
      name: 'RpcError',
      code: unavailable,
    });
    const wrapped = new Error('secret detail', { cause: refusal });
    expect(isUnavailable(wrapped)).toBe(true);
    expect(unavailableDetail(wrapped)).toBe('certificates is not available');
  });

  it('is not named by texts that were made for nobody', () => {
    const transport = Object.assign(new Error('14 UNAVAILABLE: 10.0.0.1 refused'), {
      code: unavailable,
    });
    const socket = Object.assign(new Error('connect 10.0.0.1'), { code: 'ECONNREFUSED' });
    for (const error of [transport, socket]) {
      expect(isUnavailable(error)).toBe(true);
      expect(unavailableDetail(error)).toBe('a dependency does not answer');
    }
  });
});
