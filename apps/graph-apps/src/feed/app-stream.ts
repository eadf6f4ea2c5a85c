import { appId } from '@glacis/graphs';
import { Bell } from '@glacis/runtime';
import type { App, AppRef } from '../apps/app.entity.js';
import { refOfId } from '../apps/known-app.js';
import { versionItem } from '../apps/views.js';
import type { AppsStore } from '../store/apps-store.js';
import { deletedMessage, message } from './messages.js';
import type { Feed } from './feed.js';

/** Milliseconds between comment lines, so that proxies see that the stream lives (`graph-apps.md` 6.2, 21). */
const commentMs = 15_000;
const comment = ': still here\n\n';

export interface StreamSource {
  feed: Feed;
  store: AppsStore;
  tenant: string;
  /** What is told of the state of an App. */
  statusOf: (app: App) => readonly unknown[];
}

/** What was told of an App. */
interface Told {
  version: number;
  status: string;
}

/**
 * The changes of Apps as server-sent events. It looks at an App whenever something may have happened to it and tells what
 * differs from what it has told: no hint counts more than once, and one that was lost costs nothing but time.
 */
export class AppStream {
  private readonly told = new Map<string, Told>();
  private readonly waiting = new Set<string>();
  private readonly bell = new Bell();

  /** @param only the one App; absent: all of the tenant */
  constructor(
    private readonly source: StreamSource,
    private readonly only?: AppRef,
  ) {}

  /**
   * @param lastEventId of the stream that broke off: versions saved since then are told
   * @param signal ends it
   */
  async *events(lastEventId: string | undefined, signal: AbortSignal): AsyncGenerator<string> {
    const end = this.source.feed.follow((id) => this.hear(id));
    try {
      yield* this.begin(lastEventId);
      while (!signal.aborted) {
        const rings = this.bell.count;
        if (this.waiting.size === 0) await this.bell.after(rings, commentMs, signal);
        if (this.waiting.size === 0) yield comment;
        yield* this.lookAtWaiting();
      }
    } finally {
      end();
    }
  }

  private hear(id: string): void {
    if (this.only && id !== appId(this.only)) return;
    this.waiting.add(id);
    this.bell.ring();
  }

  private async *begin(lastEventId: string | undefined): AsyncGenerator<string> {
    const since = /^\d{1,15}$/.test(lastEventId ?? '') ? new Date(Number(lastEventId)) : undefined;
    for (const app of await this.apps()) {
      const version = since ? await this.countBefore(app, since) : app.lastVersion;
      this.told.set(appId(app), { version, status: '' });
      yield* this.news(app);
    }
  }

  private async apps(): Promise<App[]> {
    const { store, tenant } = this.source;
    if (!this.only) return (await store.list({ tenant })).apps;
    const app = await store.find(this.only);
    return app?.tenant === tenant ? [app] : [];
  }

  /** The last version that was there at that time. */
  private async countBefore(app: App, since: Date): Promise<number> {
    if (app.lastEdit <= since) return app.lastVersion;
    const versions = await this.source.store.versions(app);
    return versions.findLast(({ createdAt }) => createdAt <= since)?.number ?? 0;
  }

  private async *lookAtWaiting(): AsyncGenerator<string> {
    for (const id of this.waiting) {
      this.waiting.delete(id);
      const app = await this.source.store.find(refOfId(id));
      if (app?.tenant === this.source.tenant) yield* this.news(app);
      else if (this.told.delete(id)) yield deletedMessage(id);
    }
  }

  private async *news(app: App): AsyncGenerator<string> {
    const id = appId(app);
    const told = this.told.get(id) ?? { version: 0, status: '' };
    const entries = this.source.statusOf(app);
    const status = JSON.stringify(entries);
    if (status !== told.status) for (const entry of entries) yield message('status', app, entry);
    const versions =
      app.lastVersion > told.version
        ? await this.source.store.versions(app, { after: told.version })
        : [];
    for (const version of versions) yield message('version', app, versionItem(app, version));
    this.told.set(id, { version: app.lastVersion, status });
  }
}
