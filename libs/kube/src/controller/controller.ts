import { once } from 'node:events';
import { Tracing, type Logger, type Metrics } from '@glacis/observability';
import type { BackoffOptions } from '@glacis/runtime';
import type { ApiServer, Fence } from '../api/api-server.js';
import { isKubeError } from '../api/kube-error.js';
import { WorkQueue } from '../queue/work-queue.js';
import { controllerMetrics, type ControllerMetrics } from './controller-metrics.js';
import type { Trigger } from './trigger.js';

export interface ReconcileContext {
  /** Aborted when the term of the leader ends, or the time of this reconcile is over. */
  signal: AbortSignal;
  /** The API server, for as long as this reconcile may write; its calls are part of the trace. */
  server: ApiServer;
  /** Of this reconcile, for whatever else it calls. */
  traceparent: string;
}

export interface ReconcileResult {
  /** Milliseconds after which it wants to look again though nothing has changed. */
  requeueAfterMs?: number;
}

/**
 * Brings the world nearer to what one object asks for. It reads all that matters by the key and never asks why it was
 * called; it may be called at any time, again after any crash, and never twice at once for a key. A throw has it called
 * again after a back-off.
 */
export type Reconcile = (key: string, context: ReconcileContext) => Promise<ReconcileResult | void>;

export interface ControllerOptions {
  /** In logs and metrics. */
  name: string;
  triggers: readonly Trigger[];
  reconcile: Reconcile;
  server: ApiServer;
  /** Keys worked on at once. Default 4. */
  workers?: number;
  /** Milliseconds after which a reconcile is aborted and counts as failed. Default 120,000. */
  reconcileMs?: number;
  /** As in `WorkQueueOptions`. */
  backoff?: BackoffOptions;
  /** Gets a span for each reconcile, with its key and result, and one for each of its calls. Default: none is recorded. */
  tracing?: Pick<Tracing, 'start'>;
  /** The `traceparent` that a reconcile of this key goes on with: of whoever asked for what is there to be done. */
  causeOf?: (key: string) => string | undefined;
  logger: Logger;
  metrics: Metrics;
}

/** Joins informers, a queue and a reconcile function. */
export class Controller {
  private readonly metrics: ControllerMetrics;
  private readonly tracing: Pick<Tracing, 'start'>;

  constructor(private readonly options: ControllerOptions) {
    this.tracing = options.tracing ?? new Tracing({ service: options.name });
    this.metrics = controllerMetrics(options.metrics, options.name);
  }

  /**
   * Reconciles every object, and again whatever changes, until the term is over; resolves when nothing is under way any
   * more. Between terms it remembers nothing.
   */
  async run(term: Fence): Promise<void> {
    if (term.signal.aborted) return;
    const over = once(term.signal, 'abort').then(() => true);
    const synced = Promise.all(this.options.triggers.map((trigger) => trigger.synced));
    if (await Promise.race([over, synced.then(() => false)])) return;
    const queue = this.queueFor(term);
    const add = (key: string): void => {
      queue.add(key);
      this.metrics.waiting(queue.depth);
    };
    const ends = this.options.triggers.map((trigger) => trigger.connect(add));
    await over;
    for (const end of ends) end();
    await queue.stop();
    this.metrics.waiting(0);
  }

  private queueFor(term: Fence): WorkQueue {
    const { workers = 4, backoff, logger, name } = this.options;
    const queue: WorkQueue = new WorkQueue({
      workers,
      backoff,
      onBegin: (_, waitedMs) => this.metrics.waited(waitedMs),
      work: async (key) => {
        this.metrics.waiting(queue.depth);
        return (await this.reconcile(key, term))?.requeueAfterMs;
      },
      onFailure: (key, error, failures, delayMs) => {
        if (isKubeError(error, 'fenced')) return;
        const level = isKubeError(error, 'conflict', 'unavailable', 'timeout') ? 'info' : 'warn';
        logger[level](
          { err: error, controller: name, key, failures, delayMs },
          'reconcile failed and will be tried again',
        );
      },
    });
    return queue;
  }

  private async reconcile(key: string, term: Fence): Promise<ReconcileResult | void> {
    const { reconcile, reconcileMs = 120_000 } = this.options;
    const own = new AbortController();
    const stop = (): void => own.abort();
    const timer = setTimeout(stop, reconcileMs);
    term.signal.addEventListener('abort', stop);
    if (term.signal.aborted) stop();
    const { signal } = own;
    const { traceparent, end } = this.observed(key);
    const fence = { signal, holds: () => !signal.aborted && term.holds() };
    const server = this.options.server
      .fencedBy(fence)
      .tracedBy({ tracing: this.tracing, traceparent });
    try {
      const result = await reconcile(key, { signal, server, traceparent });
      end('done');
      return result;
    } catch (error) {
      end(isKubeError(error) ? error.code : 'failed', error);
      throw error;
    } finally {
      clearTimeout(timer);
      term.signal.removeEventListener('abort', stop);
    }
  }

  private observed(key: string): {
    traceparent: string;
    end: (result: string, error?: unknown) => void;
  } {
    const { name, causeOf } = this.options;
    const span = this.tracing.start(`reconcile ${name}`, causeOf?.(key), { key });
    const measured = this.metrics.begin();
    const end = (result: string, error?: unknown): void => {
      measured.end(result);
      span.end(error, { result });
    };
    return { traceparent: span.traceparent, end };
  }
}
