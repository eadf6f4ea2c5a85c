import type { CloudEvent } from '@glacis/contracts';
import { OnBroadcast } from '@glacis/events';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { Feed } from './feed.js';

/** What other replicas have done is heard of here. */
@Controller()
export class FeedEvents {
  constructor(@Inject(Feed) private readonly feed: Feed) {}

  @OnBroadcast('graph-apps', 'version.saved')
  saved(@Payload() event: CloudEvent<'version.saved'>): void {
    this.feed.changed(event.data.app_id);
  }

  @OnBroadcast('graph-apps', 'app.deleted')
  deleted(@Payload() event: CloudEvent<'app.deleted'>): void {
    this.feed.changed(event.data.app_id);
  }
}
