/**
 * Which backends have been looked at thoroughly, and have not stirred since: while their stream is open, neither was
 * their certificate revoked nor have they been terminated. After a start nobody is above doubt.
 */
export class Doubts {
  private readonly settled = new Set<string>();

  /** To be called before the look, so that what happens meanwhile counts. */
  settle(backendId: string): void {
    this.settled.add(backendId);
  }

  isSettled(backendId: string): boolean {
    return this.settled.has(backendId);
  }

  /** @param backendId absent: anything may have happened unseen */
  raise(backendId?: string): void {
    if (backendId === undefined) this.settled.clear();
    else this.settled.delete(backendId);
  }
}
