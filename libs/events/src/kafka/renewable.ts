import { within } from '../within.js';

interface Connectable {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

/** A client with those who work with it. */
interface Shared<C> {
  client: Promise<C>;
  users: number;
}

/**
 * A client that is connected when it is first needed and thrown away after any failure. Those of kafkajs may stay
 * broken for good: a connection that breaks in the middle of an answer, for one, misreads every later one.
 */
export class Renewable<C extends Connectable> {
  private current: Shared<C> | undefined;

  /** @param limitMs milliseconds that `work` may take, the connecting included */
  constructor(
    private readonly make: () => C,
    private readonly limitMs: number,
  ) {}

  /** @throws what the work threw, or `DeadlineError`; the next use then has another client */
  async use<T>(work: (client: C) => Promise<T>): Promise<T> {
    const shared = (this.current ??= { client: this.open(), users: 0 });
    shared.users += 1;
    try {
      return await within(this.limitMs, shared.client.then(work));
    } catch (error) {
      if (this.current === shared) this.current = undefined;
      throw error;
    } finally {
      shared.users -= 1;
      // One that was thrown away ends with its last user: it would connect anew for those who are still at it.
      if (this.current !== shared && shared.users === 0) void end(shared);
    }
  }

  async close(): Promise<void> {
    const shared = this.current;
    this.current = undefined;
    if (shared) await end(shared);
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
}

async function end<C extends Connectable>({ client }: Shared<C>): Promise<void> {
  await client.then((open) => open.disconnect()).catch(() => undefined);
}
