/** Where the wall-clock time comes from. Injected everywhere, so that tests own time. */
export interface Clock {
  now(): Date;
}

/** Injection token of the process's clock, provided by a global module of the host program. */
export const CLOCK = Symbol('CLOCK');

/** The machine's clock. */
export const systemClock: Clock = { now: () => new Date() };

/** A clock that stands still until it is told otherwise; for tests. */
export class ManualClock implements Clock {
  private at: number;

  /** @param at the first time it shows; 2026-01-01T00:00:00Z by default */
  constructor(at: Date = new Date(Date.UTC(2026, 0, 1))) {
    this.at = at.getTime();
  }

  now(): Date {
    return new Date(this.at);
  }

  /** Moves on (or back, when negative) by so many milliseconds. */
  advance(ms: number): void {
    this.at += ms;
  }

  set(at: Date): void {
    this.at = at.getTime();
  }
}
