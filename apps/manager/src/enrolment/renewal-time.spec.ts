import fc from 'fast-check';
import { renewalTime } from './renewal-time.js';

it('backends.md 14: two thirds of life, moved by up to 5 % of it', () => {
  const from = new Date('2026-11-21T00:00:00Z');
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e11 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (life, chance) => {
        const to = new Date(from.getTime() + life);
        const part = (renewalTime({ from, to }, chance).getTime() - from.getTime()) / life;
        expect(part).toBeGreaterThanOrEqual(2 / 3 - 0.05 - 1 / life);
        expect(part).toBeLessThanOrEqual(2 / 3 + 0.05);
      },
    ),
  );
});
