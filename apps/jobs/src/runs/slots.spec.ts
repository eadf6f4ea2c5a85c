import * as fc from 'fast-check';
import { Slots } from './slots.js';

const never = new AbortController().signal;

describe('Slots', () => {
  it('never runs more than its count at once, and everything in its turn', async () => {
    const work = fc.array(fc.nat({ max: 3 }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), work, async (count, turns) => {
        const slots = new Slots(count);
        const begun: number[] = [];
        let [running, most] = [0, 0];
        await Promise.all(
          turns.map((length, i) =>
            slots.run(never, async () => {
              begun.push(i);
              most = Math.max(most, ++running);
              for (let turn = 0; turn < length; turn++) await Promise.resolve();
              running -= 1;
            }),
          ),
        );
        expect(most).toBeLessThanOrEqual(count);
        expect(begun).toEqual(turns.map((_, i) => i));
      }),
    );
  });

  it('lets go of who does not wait any longer, and of work that fails', async () => {
    const slots = new Slots(1);
    let end = (): void => undefined;
    const first = slots.run(never, () => new Promise<void>((resolve) => (end = resolve)));
    const leaving = new AbortController();
    const second = slots.run(leaving.signal, async () => 'never');
    leaving.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    end();
    await first;
    await expect(slots.run(never, () => Promise.reject(new Error('x')))).rejects.toThrow('x');
    expect(await slots.run(never, async () => 'next')).toBe('next');
  });
});
