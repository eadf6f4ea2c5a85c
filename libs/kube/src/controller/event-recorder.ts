import type { Logger, Metrics } from '@glacis/observability';
import { Loop, newId, systemClock, TokenBuckets, type Clock } from '@glacis/runtime';
import type { ApiServer } from '../api/api-server.js';
import { isKubeError } from '../api/kube-error.js';
import { microTime } from '../api/micro-time.js';
import type { Draft, KubeObject } from '../api/objects.js';
import { ResourceClient } from '../api/resource-client.js';
import type { ResourceType } from '../api/resource-type.js';

/** What `kubectl describe` shows of an object, and `kubectl events` of a namespace. */
export interface Occurrence {
  /** The object that it is about. */
  about: KubeObject;
  type: 'Normal' | 'Warning';
  /** Why, in one word: `Registered`. */
  reason: string;
  /** What was done or tried, in one word: `Register`. */
  action: string;
  /** For people; no secrets. Cut after 1,024 characters. */
  note: string;
}

export interface EventRecorderOptions {
  server: ApiServer;
  /** Name of the controller: `glacis.dev/operator`. */
  controller: string;
  /** Name of this process, such as its pod's. */
  instance: string;
  logger: Logger;
  metrics: Metrics;
  clock?: Clock;
}

const maxSeries = 1_000;
const seriesMs = 10 * 60_000;
const maxNoteLength = 1_024;
/** Per object: so many different things at once, and one a minute after that. */
const perObject = { capacity: 25, refillPerSecond: 1 / 60 };

interface Series {
  event: Draft<KubeEvent>;
  count: number;
  written: number;
  since: number;
}

/**
 * Writes Kubernetes Events (events.k8s.io/v1) beside the work, once a second. The same thing within ten minutes is counted
 * in one Event. At most 1,000 are kept in mind, and an object gets 25 different ones and one a minute after that; what goes
 * beyond is dropped and counted. They are for people: nothing may depend on them.
 */
export class EventRecorder {
  private readonly series = new Map<string, Series>();
  private readonly buckets: TokenBuckets;
  private readonly client: ResourceClient<KubeEvent>;
  private readonly clock: Clock;
  private readonly loop: Loop;
  private readonly count: (result: 'written' | 'counted' | 'dropped') => void;

  constructor(private readonly options: EventRecorderOptions) {
    this.client = new ResourceClient(options.server, events);
    this.clock = options.clock ?? systemClock;
    this.buckets = new TokenBuckets(perObject, this.clock);
    const counter = options.metrics.counter({
      name: 'glacis_kube_events_total',
      help: 'Occurrences: written as an Event of their own, counted in one, or dropped',
      labels: ['result'],
    });
    this.count = (result) => counter.inc({ result });
    this.loop = new Loop({
      name: 'kube events',
      intervalMs: 1_000,
      run: () => this.write(),
      onError: (err) => options.logger.warn({ err }, 'events could not be written'),
    });
  }

  start(): void {
    this.loop.start();
  }

  /** Writes what is left, once. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await this.write().catch(() => undefined);
  }

  record(occurrence: Occurrence): void {
    const { about, type, reason, action, note } = occurrence;
    const key = [about.metadata.uid, type, reason, action, note].join('\n');
    const now = this.clock.now().getTime();
    const known = this.series.get(key);
    if (known && (known.written === 0 || now - known.since < seriesMs)) {
      known.count += 1;
      this.count('counted');
      return;
    }
    if (this.buckets.take(about.metadata.uid) > 0) return this.count('dropped');
    this.series.delete(key);
    this.series.set(key, { event: this.eventOf(occurrence), count: 1, written: 0, since: now });
    this.count('written');
    this.forgetOldest();
  }

  private forgetOldest(): void {
    const [oldest] = this.series.keys();
    if (this.series.size <= maxSeries || oldest === undefined) return;
    if (this.series.get(oldest)?.written === 0) this.count('dropped');
    this.series.delete(oldest);
  }

  private async write(): Promise<void> {
    for (const [key, series] of this.series) {
      if (series.written < series.count) await this.writeOne(key, series);
      else if (this.clock.now().getTime() - series.since >= seriesMs) this.series.delete(key);
    }
  }

  private async writeOne(key: string, series: Series): Promise<void> {
    const { count, event } = series;
    try {
      if (series.written === 0) await this.client.create(event);
      if (count > 1) {
        const lastObservedTime = microTime(this.clock.now());
        await this.client.patch(event.metadata, { series: { count, lastObservedTime } });
      }
      series.written = count;
    } catch (error) {
      if (isKubeError(error, 'alreadyExists')) series.written = 1;
      else if (isKubeError(error, 'unavailable', 'timeout')) throw error;
      else this.giveUp(key, error);
    }
  }

  /** Its namespace is being deleted, or the server does not want it. */
  private giveUp(key: string, err: unknown): void {
    this.series.delete(key);
    this.count('dropped');
    this.options.logger.info({ err }, 'event refused');
  }

  private eventOf({ about, type, reason, action, note }: Occurrence): Draft<KubeEvent> {
    const { apiVersion, kind } = about;
    const { name, namespace, uid, resourceVersion } = about.metadata;
    return {
      metadata: {
        // A name has 253 characters at most, and an id 37 with its dot.
        name: `${name.slice(0, 216)}.${newId(this.clock)}`,
        namespace: namespace ?? 'default',
      },
      eventTime: microTime(this.clock.now()),
      regarding: { apiVersion, kind, name, namespace, uid, resourceVersion },
      type,
      reason,
      action,
      note: note.slice(0, maxNoteLength),
      reportingController: this.options.controller,
      reportingInstance: this.options.instance,
    };
  }
}

interface KubeEvent extends KubeObject {
  eventTime: string;
  regarding: object;
  type: string;
  reason: string;
  action: string;
  note: string;
  reportingController: string;
  reportingInstance: string;
}

const events: ResourceType<KubeEvent> = {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
};
