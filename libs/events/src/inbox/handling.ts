import type { CloudEvent, EventType } from '@glacis/contracts';
import type { Logger } from '@glacis/observability';
import type { Clock } from '@glacis/runtime';
import type { Store, Tx } from '@glacis/store';
import type { EventsMetrics } from '../metrics/events-metrics.js';
import type { RetryPolicy } from '../failures/retry-policy.js';

/** Handles one event inside `tx`; a throw means that it has failed and nothing of it may stay. */
export type EventHandler = (event: CloudEvent, tx: Tx, attempt: number) => Promise<void>;

/** What handling events takes, at first (`Consumer`) and again (`Retries`). */
export interface HandlingOptions {
  service: string;
  store: Store;
  handlers: ReadonlyMap<EventType, EventHandler>;
  policy: RetryPolicy;
  clock: Clock;
  logger: Logger;
  metrics: EventsMetrics;
}

/** Counts events whose effect is committed. */
export function countHandled(
  { metrics, clock }: HandlingOptions,
  events: readonly CloudEvent[],
): void {
  const now = clock.now().getTime();
  events.forEach(({ type, time }) => metrics.handled(type, now - Date.parse(time)));
}
