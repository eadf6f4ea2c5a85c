/** What an election reads of a Lease. Its times are for people: clocks of two machines are never compared. */
export interface LeaseRecord {
  resourceVersion: string;
  /** Empty or absent: released. */
  holder?: string;
  durationMs: number;
}

/**
 * Decides when a lease may be taken. A candidate goes by what it has seen itself, on its own monotonic clock: a record
 * that has stood unchanged before its eyes for its whole duration is not renewed by anybody. The holder, in turn, counts
 * from before it sent the renewal, and for less than the duration. So it has stopped before anybody else may begin, however
 * clocks are set and whatever the network delays.
 */
export class Candidacy {
  private seen: { version: string | undefined; since: number } | undefined;

  /** @param durationMs for how long a lease that has vanished is taken to be held still */
  constructor(
    private readonly identity: string,
    private readonly durationMs: number,
  ) {}

  /**
   * @param lease as it was just read; undefined: there is none. If there was one before, its holder may not know yet
   * @param now monotonic milliseconds
   */
  mayTake(lease: LeaseRecord | undefined, now: number): boolean {
    const isFirstLook = this.seen === undefined;
    const unchangedMs = now - this.since(lease?.resourceVersion, now);
    if (lease === undefined) return isFirstLook || unchangedMs >= this.durationMs;
    return isFree(lease, this.identity) || unchangedMs >= lease.durationMs;
  }

  private since(version: string | undefined, now: number): number {
    if (this.seen?.version !== version || this.seen === undefined) {
      this.seen = { version, since: now };
    }
    return this.seen.since;
  }
}

const isFree = ({ holder }: LeaseRecord, identity: string): boolean =>
  holder === undefined || holder === '' || holder === identity;
