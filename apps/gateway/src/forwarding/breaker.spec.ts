import fc from 'fast-check';
import { Breaker } from './breaker.js';

function make(): { breaker: Breaker; pass: (ms: number) => void } {
  let now = 0;
  return { breaker: new Breaker(() => now), pass: (ms) => void (now += ms) };
}

const fail = (breaker: Breaker): void => {
  breaker.sending();
  breaker.failed(false);
};

test('opens after three failures in a row, not before', () => {
  const { breaker } = make();
  fail(breaker);
  fail(breaker);
  breaker.succeeded();
  fail(breaker);
  fail(breaker);
  expect(breaker.admits()).toBe(true);
  fail(breaker);
  expect(breaker.admits()).toBe(false);
});

test('bug: three late answers opened it though the replica answered others', () => {
  const { breaker } = make();
  const sent = [breaker.sending(), breaker.sending(), breaker.sending()];
  breaker.sending();
  breaker.succeeded();
  for (const before of sent) breaker.late(before);
  expect(breaker.isOpen).toBe(false);
  for (const before of sent.map(() => breaker.sending())) breaker.late(before);
  expect(breaker.isOpen).toBe(true);
});

test('opens at once for a replica that cannot be reached', () => {
  const { breaker, pass } = make();
  breaker.sending();
  breaker.failed(true);
  expect([breaker.admits(), breaker.mayAdmitSoon()]).toEqual([false, true]);
  for (let i = 0; i < 5; i++) {
    pass(5_000);
    breaker.sending();
    breaker.failed(true);
  }
  expect(breaker.mayAdmitSoon()).toBe(false);
});

test('lets one request through after the pause; its end decides for all', () => {
  const { breaker, pass } = make();
  for (let i = 0; i < 3; i++) fail(breaker);
  pass(99);
  expect(breaker.admits()).toBe(false);
  pass(1);
  expect(breaker.admits()).toBe(true);
  breaker.sending();
  expect(breaker.admits()).toBe(false);
  breaker.failed(true);
  pass(199);
  expect(breaker.admits()).toBe(false);
  pass(1);
  breaker.sending();
  breaker.undecided();
  expect(breaker.admits()).toBe(true);
  breaker.sending();
  breaker.succeeded();
  expect([breaker.isOpen, breaker.admits()]).toEqual([false, true]);
});

test('requests that were under way when it opened do not make the pause longer', () => {
  const { breaker, pass } = make();
  for (let i = 0; i < 20; i++) breaker.sending();
  for (let i = 0; i < 20; i++) breaker.failed(false);
  pass(100);
  expect(breaker.admits()).toBe(true);
});

test('whatever happens, it admits somebody again after 5 s without news', () => {
  const step = fc.constantFrom('send', 'succeeded', 'failed', 'undecided', 'wait');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { breaker, pass } = make();
      let open = 0;
      for (const each of steps) {
        if (each === 'wait') pass(50);
        else if (each === 'send') {
          if (!breaker.admits()) continue;
          breaker.sending();
          open += 1;
        } else if (open > 0) {
          if (each === 'failed') breaker.failed(steps.length % 2 === 0);
          else breaker[each]();
          open -= 1;
        }
      }
      for (; open > 0; open--) breaker.undecided();
      pass(5_000);
      expect(breaker.admits()).toBe(true);
    }),
  );
});
