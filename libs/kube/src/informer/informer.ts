import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger, Metrics } from '@glacis/observability';
import { backoffMs, type BackoffOptions } from '@glacis/runtime';
import { isKubeError, KubeError } from '../api/kube-error.js';
import { keyOf, type KubeObject } from '../api/objects.js';
import type { List, Selection, WatchOptions } from '../api/resource-client.js';
import type { WatchEvent } from '../api/watch-events.js';
import { informerMetrics, type InformerMetrics } from './informer-metrics.js';
import { Store, type Change, type IndexFunction, type StoreReader } from './store.js';
import { compareVersions } from './versions.js';

/** Where it reads: a `ResourceClient`, or what gives a part of each of its objects. */
export interface InformerSource<T extends KubeObject> {
  list(selection?: Selection): Promise<List<T>>;
  watch(options: WatchOptions): AsyncIterable<WatchEvent<T>>;
}

export interface InformerOptions<T extends KubeObject> {
  /** In logs, metrics and readiness: the plural of the resource. */
  name: string;
  source: InformerSource<T>;
  /** Default: everything. */
  selection?: Selection;
  indexes?: Record<string, IndexFunction<T>>;
  /**
   * Seconds after which the server is asked to end a watch; 3 at least, default 5. It sends a bookmark 2 s before if
   * it knows of anything newer. One that goes on for 3 s longer and says nothing is dead: so this bounds how long events can
   * be missed.
   */
  watchSeconds?: number;
  /** Milliseconds after which everything is listed anew, for events that got lost without a sign. Default 600,000. */
  relistMs?: number;
  /** Between failed tries. Default 500 ms, doubling up to 5 s, half of it by chance: so long it is late after an outage. */
  backoff?: BackoffOptions;
  logger: Logger;
  metrics: Metrics;
}

export type ChangeHandler<T> = (change: Change<T>) => void;

const defaultWatchSeconds = 5;
const silenceGraceMs = 3_000;
/** Without contact for so many watches it no longer counts as ready. */
const staleWatches = 6;
const defaultBackoff: BackoffOptions = { initialMs: 500, factor: 2, maxMs: 5_000, jitter: 0.5 };

/**
 * A copy of one resource, kept up to date by list and watch, and shared by all who read it or subscribe to its changes.
 *
 * It follows what the API promises: a list is the truth of a moment, and a watch tells everything after it, in order. So
 * the copy moves by lists and by events newer than everything before. An event that is older proves that the stream cannot
 * be trusted, and everything is listed anew; an event that got lost without a sign is made good by the next list.
 */
export class Informer<T extends KubeObject> {
  private readonly objects: Store<T>;
  private readonly handlers = new Set<ChangeHandler<T>>();
  private readonly metrics: InformerMetrics;
  private stopping = new AbortController();
  private running: Promise<void> | undefined;
  /** The version that all before is known of; undefined: everything has to be listed. */
  private position: string | undefined;
  private listedAt = 0;
  private heardAt = 0;
  private attempt = 0;
  private lastError: unknown;
  private markSynced: () => void = () => undefined;
  /** Resolves when everything has been listed for the first time. */
  readonly synced: Promise<void> = new Promise((resolve) => (this.markSynced = resolve));
  private hasSynced = false;

  constructor(private readonly options: InformerOptions<T>) {
    this.objects = new Store(options.indexes);
    this.metrics = informerMetrics(options.metrics, options.name);
  }

  get name(): string {
    return this.options.name;
  }

  get store(): StoreReader<T> {
    return this.objects;
  }

  /** Without effect when it is already going. */
  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /**
   * Told of every change from now on, and first of every object that is there. Handlers only take note: they are called
   * one after another, and what they throw is logged.
   * @returns ends the subscription
   */
  subscribe(handler: ChangeHandler<T>): () => void {
    this.handlers.add(handler);
    for (const object of this.objects.values()) {
      this.tell(handler, { key: keyOf(object.metadata), new: object });
    }
    return () => void this.handlers.delete(handler);
  }

  /** For `Health`. @throws {Error} before the first list, and without contact for the time of six watches */
  check(): void {
    const { lastError } = this;
    const why = lastError instanceof Error ? `: ${lastError.message}` : '';
    if (!this.hasSynced) throw new Error(`not listed yet${why}`);
    const seconds = staleWatches * (this.options.watchSeconds ?? defaultWatchSeconds);
    if (performance.now() - this.heardAt > seconds * 1000) {
      throw new Error(`no contact for ${seconds} s${why}`);
    }
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        if (this.position === undefined || this.listDue()) await this.list();
        await this.watch();
        this.attempt = 0;
        this.lastError = undefined;
        this.metrics.watchEnded('ended');
      } catch (error) {
        if (!signal.aborted) await this.recover(error);
      }
    }
  }

  private async recover(error: unknown): Promise<void> {
    const gone = isKubeError(error, 'gone');
    if (gone) this.position = undefined;
    this.metrics.watchEnded(gone ? 'gone' : 'failed');
    this.lastError = error;
    this.attempt += 1;
    const { logger, name, backoff = defaultBackoff } = this.options;
    const wait = Math.max(
      backoffMs(backoff, this.attempt),
      isKubeError(error) ? (error.retryAfterMs ?? 0) : 0,
    );
    logger.info({ err: error, resource: name, attempt: this.attempt, wait }, 'watch lost');
    await sleep(wait, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }

  private listDue(): boolean {
    return performance.now() - this.listedAt >= (this.options.relistMs ?? 600_000);
  }

  private async list(): Promise<void> {
    const { source, selection } = this.options;
    const { items, resourceVersion } = await source.list(selection);
    if (this.stopping.signal.aborted) return;
    this.listedAt = performance.now();
    this.heard();
    this.metrics.listed();
    this.position = resourceVersion;
    this.publish(this.objects.replace(items.map(withoutManagedFields)));
    this.hasSynced = true;
    this.markSynced();
  }

  private async watch(): Promise<void> {
    const { source, selection, watchSeconds = defaultWatchSeconds } = this.options;
    const life = new Life(watchSeconds * 1000, this.stopping.signal);
    const before = this.position ?? '';
    try {
      const events = source.watch({
        ...selection,
        resourceVersion: before,
        seconds: watchSeconds,
        onData: () => {
          this.heard();
          life.heard();
        },
        signal: life.signal,
      });
      for await (const event of events) this.take(event);
      // A quiet resource may have nothing to tell, not even a bookmark.
      this.heard();
    } catch (error) {
      throw life.silent ? new KubeError('unavailable', 'the watch was silent') : error;
    } finally {
      life.end();
    }
    const endedEarly = life.ageMs < (watchSeconds * 1000) / 2;
    if (endedEarly && this.position === before) {
      throw new KubeError('unavailable', 'the watch ended before its time');
    }
  }

  private take({ type, object }: WatchEvent<T>): void {
    const { resourceVersion } = object.metadata;
    const order = compareVersions(resourceVersion, this.position ?? '');
    // Of two servers one may lag behind with its bookmarks; and what comes twice has no second effect.
    if (order === 0 || (order < 0 && type === 'BOOKMARK')) return;
    if (order < 0) throw new KubeError('gone', 'the watch ran backwards');
    this.position = resourceVersion;
    this.attempt = 0;
    if (type === 'DELETED') this.publish(this.objects.remove(keyOf(object.metadata)));
    else if (type !== 'BOOKMARK') this.publish(this.objects.put(withoutManagedFields(object)));
  }

  private heard(): void {
    this.heardAt = performance.now();
  }

  private publish(changes: readonly Change<T>[]): void {
    this.metrics.holds(this.objects.size);
    for (const change of changes) {
      for (const handler of this.handlers) this.tell(handler, change);
    }
  }

  private tell(handler: ChangeHandler<T>, change: Change<T>): void {
    try {
      handler(change);
    } catch (error) {
      const { logger, name } = this.options;
      logger.error({ err: error, resource: name, key: change.key }, 'change handler failed');
    }
  }
}

/** Who has set which field is of no use in a cache, and often half of an object. */
function withoutManagedFields<T extends KubeObject>(object: T): T {
  return { ...object, metadata: { ...object.metadata, managedFields: undefined } };
}

/** Ends a watch from this side: at the signal, or when it is past its end and has been silent for the grace. */
class Life {
  private readonly controller = new AbortController();
  private readonly began = performance.now();
  private heardAt = this.began;
  private timer: NodeJS.Timeout;
  private readonly stop = (): void => this.controller.abort();
  silent = false;

  /** @param dueMs after which the server ends it */
  constructor(
    dueMs: number,
    private readonly outer: AbortSignal,
  ) {
    this.timer = setTimeout(() => this.judge(), dueMs + silenceGraceMs);
    if (outer.aborted) this.stop();
    outer.addEventListener('abort', this.stop);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get ageMs(): number {
    return performance.now() - this.began;
  }

  heard(): void {
    this.heardAt = performance.now();
  }

  end(): void {
    clearTimeout(this.timer);
    this.outer.removeEventListener('abort', this.stop);
  }

  private judge(): void {
    const left = this.heardAt + silenceGraceMs - performance.now();
    if (left > 0) {
      this.timer = setTimeout(() => this.judge(), left);
      return;
    }
    this.silent = true;
    this.stop();
  }
}
