import { backoffMs } from '@glacis/runtime';

/** Failures in a row after which nothing more is sent. */
const threshold = 3;
const pauses = { initialMs: 100, factor: 2, maxMs: 5_000, jitter: 0 };

/** Pauses in a row for which it is worth waiting: together 3.1 s, as long as a restart may take. */
const shortOutage = 5;

/**
 * Keeps requests away from a replica that cannot be reached, or has failed several times in a row. After a pause, doubled
 * each time, one request tries it again (half open); its success lets all others follow.
 */
export class Breaker {
  private failures = 0;
  private openings = 0;
  private closedAgainAt = 0;
  private probing = false;
  private answers = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(private readonly now: () => number = () => performance.now()) {}

  get isOpen(): boolean {
    return this.openings > 0;
  }

  /** True when a request may be sent. */
  admits(): boolean {
    return !this.isOpen || (!this.probing && this.now() >= this.closedAgainAt);
  }

  /** True while the outage, if there is one, is so young that it may be a restart. */
  mayAdmitSoon(): boolean {
    return this.openings <= shortOutage;
  }

  /** A request is sent; to be called only while it `admits`. Gives what `late` is told. */
  sending(): number {
    this.probing = this.isOpen;
    return this.answers;
  }

  succeeded(): void {
    this.answers += 1;
    this.failures = 0;
    this.openings = 0;
    this.probing = false;
  }

  /** @param unreachable no connection could be made: one such failure is enough */
  failed(unreachable: boolean): void {
    this.failures += 1;
    const enough = unreachable || this.failures >= threshold;
    if (this.probing || (!this.isOpen && enough)) this.open();
  }

  /**
   * No answer came in time. A replica that has answered others since the request was sent is slow at this, not broken.
   * @param before what `sending` gave
   */
  late(before: number): void {
    if (this.answers > before) this.undecided();
    else this.failed(false);
  }

  /** The request ended without telling anything of the replica, as when its client went away. */
  undecided(): void {
    this.probing = false;
  }

  private open(): void {
    this.openings += 1;
    this.closedAgainAt = this.now() + backoffMs(pauses, this.openings);
    this.probing = false;
  }
}
