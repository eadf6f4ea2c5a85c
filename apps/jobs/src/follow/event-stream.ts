import { Bell } from '@glacis/runtime';
import type { AccessedJob } from '../access/job-access.js';
import type { JobFeed } from '../jobs/job-feed.js';
import type { ToldEvent, ToldEvents } from './told-events.store.js';

/** Milliseconds between comment lines, so that proxies see that the stream lives (`jobs.md` 3). */
const commentMs = 15_000;
/** Milliseconds after which it looks for what other replicas have done, and whether the reader still reads. */
export const lookMs = 2_000;
const batch = 200;
/** Bytes of events that a reader may have before it and take nothing (`jobs.md` 3). */
const behindBytes = 1 << 20;

/**
 * The events of a job as server-sent events, without gap or repeat. They are read as the reader takes them, so one that is
 * slow holds nothing in memory.
 */
export class EventStream {
  private readonly bell = new Bell();
  private silentSince = performance.now();
  /** The event that waits for the reader. */
  private offered: ToldEvent | undefined;
  /** The one that waited at the last look. */
  private seen: ToldEvent | undefined;

  constructor(
    private readonly accessed: AccessedJob,
    private readonly told: ToldEvents,
    private readonly feed: JobFeed,
  ) {}

  /**
   * @param after the last event that the reader has
   * @param signal ends it
   */
  async *text(after: number, signal: AbortSignal): AsyncGenerator<string> {
    const stop = this.feed.follow(this.accessed.job.id, () => this.bell.ring());
    try {
      yield 'retry: 3000\n\n';
      yield* this.events(after, signal);
    } finally {
      stop();
    }
  }

  /** True for a reader that took nothing since the last look and is too far behind. */
  async isBehind(): Promise<boolean> {
    const { offered, seen } = this;
    this.seen = offered;
    if (offered === undefined || offered !== seen) return false;
    return (await this.told.bytesAfter(this.accessed, offered.id)) > behindBytes;
  }

  private async *events(after: number, signal: AbortSignal): AsyncGenerator<string> {
    let last = after;
    while (!signal.aborted) {
      const rings = this.bell.count;
      const events = await this.told.after(this.accessed, last, batch);
      for (const event of events) {
        this.offered = event;
        yield messageOf(event);
      }
      this.offered = undefined;
      last = events.at(-1)?.id ?? last;
      if (events.at(-1)?.event === 'end' && events.length < batch) return;
      if (events.length > 0) this.silentSince = performance.now();
      else yield* this.wait(rings, signal);
    }
  }

  private async *wait(rings: number, signal: AbortSignal): AsyncGenerator<string> {
    await this.bell.after(rings, lookMs, signal);
    if (performance.now() - this.silentSince < commentMs) return;
    this.silentSince = performance.now();
    yield ': still here\n\n';
  }
}

function messageOf({ id, event, data }: ToldEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
