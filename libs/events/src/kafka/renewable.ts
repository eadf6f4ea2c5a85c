import { within } from '../within.js';

interface Connectable {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

/**
 * A client that is connected when it is first needed and thrown away after any failure. Those of kafkajs may stay
 * broken for good: a connection that breaks in the middle of an answer, for one, misreads every later one.
 */
export class Renewable<C extends Connectable> {
  private current: Promise<C> | undefined;

  /** @param limitMs milliseconds that `work` may take, the connecting included */
  constructor(
    private readonly make: () => C,
    private readonly limitMs: number,
  ) {}

  /** @throws what the work threw, or `DeadlineError`; the next use then has another client */
  async use<T>(work: (client: C) => Promise<T>): Promise<T> {
    const client = (this.current ??= this.open());
    try {
      return await within(this.limitMs, client.then(work));
    } catch (error) {
      this.discard(client);
      throw error;
    }
  }

  async close(): Promise<void> {
    const client = this.current;
    this.current = undefined;
    await client?.then((open) => open.disconnect()).catch(() => undefined);
  }

  private async open(): Promise<C> {
    const client = this.make();
    try {
      await client.connect();
    } catch (error) {
      await client.disconnect().catch(() => undefined);
      throw error;
    }
    return client;
  }

  /** Others may still work with it; it ends when they have. */
  private discard(client: Promise<C>): void {
    if (this.current !== client) return;
    void this.close();
  }
}
