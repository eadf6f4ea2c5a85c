import { Injectable, type OnModuleDestroy } from '@nestjs/common';

/** Which jobs have news, for whoever follows them. A hint only: look at the events, as hints may be lost or come twice. */
@Injectable()
export class JobFeed implements OnModuleDestroy {
  private readonly followers = new Map<() => void, string>();
  private readonly ending = new AbortController();

  /** Fires when the service stops. */
  get ended(): AbortSignal {
    return this.ending.signal;
  }

  /** Followers there are. */
  get size(): number {
    return this.followers.size;
  }

  changed(job: string): void {
    for (const [hear, followed] of this.followers) if (followed === job) hear();
  }

  /** @returns ends it */
  follow(job: string, hear: () => void): () => void {
    this.followers.set(hear, job);
    return () => this.followers.delete(hear);
  }

  onModuleDestroy(): void {
    this.ending.abort();
  }
}
