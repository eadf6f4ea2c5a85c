import { StatusError } from './send.js';
import { classOf, mayPass, untilAnswered } from './retry.js';

const system = (code: string): Error => Object.assign(new Error(), { code });

test('jobs.md 9: what may pass is tried again, what was refused is not', async () => {
  for (const status of [400, 401, 403, 404, 409]) {
    expect(mayPass(new StatusError(status, '/'))).toBe(false);
    expect(classOf(new StatusError(status, '/'))).toBe('infra');
  }
  for (const error of [
    new StatusError(503, '/'),
    new StatusError(429, '/'),
    system('ECONNRESET'),
  ]) {
    expect(mayPass(error)).toBe(true);
    expect(classOf(error)).toBe('transient');
  }
  expect(classOf(system('ERR_ACCESS_DENIED'))).toBe('engine');
  expect(classOf(new TypeError())).toBe('engine');
  expect(classOf('text')).toBe('engine');
});

test('jobs.md 10.2: so often and no more', async () => {
  let calls = 0;
  const call = (error: Error, from: number) => async (): Promise<number> => {
    calls += 1;
    if (calls < from) throw error;
    return calls;
  };
  expect(await untilAnswered(call(system('ECONNRESET'), 3), { tries: 3 })).toBe(3);
  calls = 0;
  const refused = new StatusError(409, '/');
  await expect(untilAnswered(call(refused, 9), { tries: 5 })).rejects.toBe(refused);
  expect(calls).toBe(1);
  const ending = new AbortController();
  ending.abort();
  const ended = untilAnswered(call(system('EPIPE'), 9), { tries: 5, signal: ending.signal });
  await expect(ended).rejects.toThrow('');
});
