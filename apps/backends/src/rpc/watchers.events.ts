import type { BackendEvent, CloudEvent } from '@glacis/contracts';
import { OnBroadcast } from '@glacis/events';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { Watchers } from './watchers.js';

/** Hands the events of all replicas to the watchers of this one. */
@Controller()
export class WatchersEvents {
  constructor(@Inject(Watchers) private readonly watchers: Watchers) {}

  @OnBroadcast('backends', 'backend.created')
  created(@Payload() event: CloudEvent<'backend.created'>): void {
    this.watchers.tell(told(event));
  }

  @OnBroadcast('backends', 'backend.updated')
  updated(@Payload() event: CloudEvent<'backend.updated'>): void {
    this.watchers.tell(told(event));
  }

  @OnBroadcast('backends', 'backend.deleted')
  deleted(@Payload() event: CloudEvent<'backend.deleted'>): void {
    this.watchers.tell(told(event));
  }

  @OnBroadcast('backends', 'backend.connected')
  connected(@Payload() event: CloudEvent<'backend.connected'>): void {
    this.watchers.tell(told(event));
  }

  @OnBroadcast('backends', 'backend.disconnected')
  disconnected(@Payload() event: CloudEvent<'backend.disconnected'>): void {
    this.watchers.tell(told(event));
  }

  @OnBroadcast('backends', 'backend.termination.requested')
  terminationRequested(@Payload() event: CloudEvent<'backend.termination.requested'>): void {
    this.watchers.tell(told(event));
  }

  @OnBroadcast('backends', 'backend.terminated')
  terminated(@Payload() event: CloudEvent<'backend.terminated'>): void {
    this.watchers.tell(told(event));
  }
}

function told(event: CloudEvent<BackendEvent['type']>): BackendEvent {
  const { id, type, time, tenant, subject, data } = event;
  return { id, type, time: new Date(time), tenant, subject, data };
}
