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
 *
 * Who finds no lease cannot know whether there was one a moment ago, whose holder has not noticed. So it makes one that is
 * held by nobody known, and everybody waits for that to run out.
 */
export class Candidacy {
  private seen: { version: string; since: number } | undefined;

  constructor(private readonly identity: string) {}

  /**
   * @param lease as it was just read
   * @param now monotonic milliseconds
   */
  mayTake({ resourceVersion, holder, durationMs }: LeaseRecord, now: number): boolean {
    if (this.seen?.version !== resourceVersion) {
      this.seen = { version: resourceVersion, since: now };
    }
    const isFree = holder === undefined || holder === '' || holder === this.identity;
    return isFree || now - this.seen.since >= durationMs;
  }
}
