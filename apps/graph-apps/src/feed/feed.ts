import { Injectable, type OnModuleDestroy } from '@nestjs/common';

/** Which Apps have changed, for whoever follows them. A hint only: look at the App, as hints may be lost or come twice. */
@Injectable()
export class Feed implements OnModuleDestroy {
  private readonly followers = new Set<(id: string) => void>();
  private readonly ending = new AbortController();

  /** Fires when the service stops. */
  get ended(): AbortSignal {
    return this.ending.signal;
  }

  /** Followers there are. */
  get size(): number {
    return this.followers.size;
  }

  /** @param id of the App */
  changed(id: string): void {
    for (const follower of this.followers) follower(id);
  }

  /** @returns ends it */
  follow(follower: (id: string) => void): () => void {
    this.followers.add(follower);
    return () => void this.followers.delete(follower);
  }

  onModuleDestroy(): void {
    this.ending.abort();
  }
}
