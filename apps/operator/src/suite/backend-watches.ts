import { setTimeout as sleep } from 'node:timers/promises';
import type { BackendEvent, BackendsRpc } from '@glacis/contracts';
import type { Logger } from '@glacis/observability';
import { backoffMs } from '@glacis/runtime';

export interface BackendWatchesOptions {
  backends: Pick<BackendsRpc, 'watch'>;
  /** Told of each event. */
  onEvent: (event: BackendEvent) => void;
  /** Something may have been missed in this tenant. */
  onGap: (tenant: string) => void;
  logger: Logger;
}

const retry = { initialMs: 500, factor: 2, maxMs: 30_000, jitter: 0.5 };
/** A stream that lives so many milliseconds stands, though nothing has happened yet. */
const steadyMs = 1_000;

/** What happens to the backends of the tenants that somebody cares for, by one stream each. */
export class BackendWatches {
  private readonly streams = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();
  private readonly open = new Set<string>();

  constructor(private readonly options: BackendWatchesOptions) {}

  /** Watches a tenant from now on. */
  ensure(tenant: string): void {
    if (this.streams.has(tenant) || this.stopping.signal.aborted) return;
    this.streams.set(tenant, this.follow(tenant));
  }

  /** For `Health`. @throws {Error} while a tenant is not watched */
  check(): void {
    const closed = [...this.streams.keys()].filter((tenant) => !this.open.has(tenant));
    if (closed.length > 0) throw new Error(`not heard of: ${closed.join(', ')}`);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.streams.values());
  }

  private async follow(tenant: string): Promise<void> {
    const { signal } = this.stopping;
    for (let attempt = 1; !signal.aborted; attempt++) {
      const steady = setTimeout(() => this.stands(tenant), steadyMs);
      try {
        for await (const event of this.options.backends.watch({ tenant }, signal)) {
          this.stands(tenant);
          this.options.onEvent(event);
        }
      } catch (err) {
        this.options.logger.info({ err, tenant, attempt }, 'watch of backends lost');
      }
      clearTimeout(steady);
      if (this.open.delete(tenant)) attempt = 1;
      await sleep(backoffMs(retry, attempt), undefined, { signal }).catch(() => undefined);
    }
  }

  private stands(tenant: string): void {
    if (this.open.has(tenant)) return;
    this.open.add(tenant);
    this.options.onGap(tenant);
  }
}
