import { createServer } from 'node:net';

/** Numbers of this host that each belong to one guest at a time: forwarded ports, context ids of vsock. */
export class HostNumbers {
  private readonly taken = new Set<number>();

  constructor(
    private readonly what: string,
    private readonly range: { first: number; last: number },
    private readonly isFree: (candidate: number) => Promise<boolean> = () => Promise.resolve(true),
  ) {}

  /** The lowest that is free. @throws {Error} when there is none */
  async take(): Promise<number> {
    for (let candidate = this.range.first; candidate <= this.range.last; candidate += 1) {
      if (this.taken.has(candidate)) continue;
      this.taken.add(candidate);
      if (await this.isFree(candidate)) return candidate;
      this.taken.delete(candidate);
    }
    throw new Error(`no free ${this.what} on the host`);
  }

  /** Takes one that is known to be in use. */
  reserve(number: number): void {
    this.taken.add(number);
  }

  release(number: number): void {
    this.taken.delete(number);
  }
}

/** Whether nobody listens on a TCP port. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
