import type { BackendEvent } from '@glacis/contracts';
import { RpcError, status } from '@glacis/grpc';
import { Bell } from '@glacis/runtime';
import { Injectable } from '@nestjs/common';

/** Watches open at once on this replica. */
const MAX_WATCHERS = 256;
/** Events that a watcher may be behind. */
const MAX_BEHIND = 1_000;
const AN_HOUR_MS = 3_600_000;

interface Watcher {
  tenant: string;
  behind: BackendEvent[];
  /** It has missed one. */
  tooSlow: boolean;
  bell: Bell;
}

/** Who watches the backends of a tenant (`backends.md` 11). Every replica hears the events of all. */
@Injectable()
export class Watchers {
  private readonly watching = new Set<Watcher>();

  tell(event: BackendEvent): void {
    for (const watcher of this.watching) {
      if (watcher.tenant !== event.tenant) continue;
      if (watcher.behind.length < MAX_BEHIND) watcher.behind.push(event);
      else watcher.tooSlow = true;
      watcher.bell.ring();
    }
  }

  /** @throws {RpcError} RESOURCE_EXHAUSTED with too many watchers, and for one that is too slow */
  async *watch(tenant: string, signal: AbortSignal): AsyncGenerator<BackendEvent, void> {
    if (this.watching.size >= MAX_WATCHERS) throw exhausted('too many watches are open');
    const watcher: Watcher = { tenant, behind: [], tooSlow: false, bell: new Bell() };
    this.watching.add(watcher);
    try {
      while (!signal.aborted) {
        const { count } = watcher.bell;
        if (watcher.tooSlow) throw exhausted('the watcher is too slow');
        yield* watcher.behind.splice(0);
        await watcher.bell.after(count, AN_HOUR_MS, signal);
      }
    } finally {
      this.watching.delete(watcher);
    }
  }
}

function exhausted(message: string): RpcError {
  return new RpcError(status.RESOURCE_EXHAUSTED, 'rate-limited', message);
}
