import type { CloudEvent } from '@glacis/contracts';
import { createLogger, Metrics } from '@glacis/observability';
import { systemClock, waitFor, type Clock } from '@glacis/runtime';
import { migration, openStore, type Store, type Tx } from '@glacis/store';
import { testDatabase } from '@glacis/testbed';
import { Consumer } from '../src/inbox/consumer.js';
import type { HandlingOptions } from '../src/inbox/handling.js';
import { eventsMetrics } from '../src/metrics/events-metrics.js';
import { eventsMigrations } from '../src/migrations.js';
import { Retries } from '../src/failures/retries.js';
import type { RetryPolicy } from '../src/failures/retry-policy.js';

export const silent = createLogger({ name: 'test', level: 'silent' });

/** The table that the handlers of the tests write to. */
export const sinkMigrations = [
  ...eventsMigrations,
  migration(
    'CreateEffects1763600000001',
    'CREATE TABLE allowed (name text PRIMARY KEY)',
    `CREATE TABLE effects (
       position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
       key text NOT NULL,
       name text NOT NULL,
       attempt integer NOT NULL,
       late_check text REFERENCES allowed DEFERRABLE INITIALLY DEFERRED
     )`,
  ),
];

export interface Effect {
  key: string;
  name: string;
  attempt: number;
}

export type Misbehave = (name: string, tx: Tx, attempt: number) => Promise<void> | void;

/** A service that writes each event `backend.updated` into its table `effects`. */
export class Sink {
  readonly metrics = new Metrics();
  readonly consumer: Consumer;
  readonly retries: Retries;
  /** Names in the order in which the handler was called. */
  readonly calls: string[] = [];
  /** Runs before the effect is written. */
  misbehave: Misbehave = () => undefined;

  constructor(
    readonly store: Store,
    readonly options: { policy: RetryPolicy; clock: Clock },
  ) {
    const settings: HandlingOptions = {
      service: store.service,
      store,
      handlers: new Map([
        ['backend.updated', (event, tx, attempt) => this.handle(event, tx, attempt)],
      ]),
      logger: silent,
      metrics: eventsMetrics(this.metrics, store.service),
      ...options,
    };
    this.consumer = new Consumer({ ...settings, batchLimitMs: 1_000 });
    this.retries = new Retries({ ...settings, pollMs: 10 });
  }

  async effects(): Promise<Effect[]> {
    return this.store.query<Effect>('SELECT key, name, attempt FROM effects ORDER BY position');
  }

  async names(): Promise<string[]> {
    return (await this.effects()).map(({ name }) => name);
  }

  async failures(): Promise<
    { name: string; state: string; attempts: number; cause: string | null }[]
  > {
    const rows = await this.store.query<{
      envelope: string;
      state: string;
      attempts: number;
      cause: string | null;
    }>('SELECT envelope, state, attempts, cause FROM event_failures ORDER BY seq');
    return rows.map(({ envelope, ...rest }) => ({ name: nameIn(envelope), ...rest }));
  }

  /** Waits until nothing is parked or redriven. */
  async settled(): Promise<void> {
    await waitFor(async () => (await this.failures()).every(({ state }) => state === 'dead'), {
      what: 'the retries',
      everyMs: 5,
    });
  }

  private async handle(event: CloudEvent, tx: Tx, attempt: number): Promise<void> {
    const { name } = (event as CloudEvent<'backend.updated'>).data;
    this.calls.push(name);
    await this.misbehave(name, tx, attempt);
    await tx.query('INSERT INTO effects (key, name, attempt) VALUES ($1, $2, $3)', [
      event.subject,
      name,
      attempt,
    ]);
  }
}

function nameIn(envelope: string): string {
  try {
    return (JSON.parse(envelope) as { data: { name: string } }).data.name;
  } catch {
    return envelope;
  }
}

/** A database of its own, with the store of `sink` open. */
export async function sinkStore(): Promise<{ store: Store; url: string; close(): Promise<void> }> {
  const database = await testDatabase({ sink: sinkMigrations });
  const store = await openStore({
    service: 'sink',
    url: database.url,
    migrations: sinkMigrations,
    logger: silent,
  });
  return {
    store,
    url: database.url,
    close: async () => {
      await store.close();
      await database.drop();
    },
  };
}

export const fastRetries: RetryPolicy = {
  initialMs: 5,
  factor: 1,
  maxMs: 5,
  jitter: 0,
  attempts: 3,
};

export function newSink(
  store: Store,
  options: Partial<{ policy: RetryPolicy; clock: Clock }> = {},
): Sink {
  return new Sink(store, { policy: fastRetries, clock: systemClock, ...options });
}
