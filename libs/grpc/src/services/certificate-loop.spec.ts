import { ManualClock, waitFor, type Loop } from '@glacis/runtime';
import { certificateLoop } from './certificate-loop.js';

let loop: Loop | undefined;
afterEach(() => loop?.stop());

it('takes a new certificate into use, again when that fails, and tells once of a row of failures', async () => {
  const errors: unknown[] = [];
  const outcomes = [new Error('no certificates yet'), new Error('not yet either'), true, false];
  let uses = 0;
  loop = certificateLoop({
    clock: new ManualClock(new Date()),
    certificate: {
      refresh: async () => {
        const outcome = outcomes.shift() ?? false;
        if (typeof outcome !== 'boolean') throw outcome;
        return outcome;
      },
    },
    use: async () => {
      uses += 1;
      if (uses === 1) throw new Error('the port is taken');
    },
    onError: (error) => errors.push(error),
  });
  loop.start();
  await waitFor(() => uses === 2, { what: 'the second try to use it' });
  expect(errors).toEqual([new Error('no certificates yet')]);
});
