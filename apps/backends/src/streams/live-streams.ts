import { Injectable } from '@nestjs/common';
import type { LiveStream } from './live-stream.js';
import type { Slot } from './stream.js';

/** The streams that this replica holds. */
@Injectable()
export class LiveStreams {
  private readonly streams = new Map<string, LiveStream>();
  private readonly perConnection = new Map<string, number>();
  private open = true;

  /** False once the service shuts down. */
  get accepting(): boolean {
    return this.open;
  }

  stopAccepting(): void {
    this.open = false;
  }

  get size(): number {
    return this.streams.size;
  }

  add(stream: LiveStream): void {
    this.streams.set(stream.facts.streamId, stream);
    this.count(stream, 1);
  }

  remove(stream: LiveStream): void {
    if (this.streams.delete(stream.facts.streamId)) this.count(stream, -1);
  }

  get(streamId: string): LiveStream | undefined {
    return this.streams.get(streamId);
  }

  all(): LiveStream[] {
    return [...this.streams.values()];
  }

  /** Streams of one slot: more than one only until the older has ended. */
  ofSlot({ backendId, connection }: Slot): LiveStream[] {
    return this.where(
      ({ facts }) => facts.backendId === backendId && facts.connection === connection,
    );
  }

  ofSerial(serial: string): LiveStream[] {
    return this.where(({ facts }) => facts.serial === serial);
  }

  ofIssuer(issuerId: string): LiveStream[] {
    return this.where(({ facts }) => facts.issuerId === issuerId);
  }

  /** How many streams go over the connection of this peer. */
  onConnection(peer: string): number {
    return this.perConnection.get(peer) ?? 0;
  }

  /** True when another live stream goes over the connection of this one. */
  sharesConnection(stream: LiveStream): boolean {
    const own = this.streams.has(stream.facts.streamId) ? 1 : 0;
    return this.onConnection(stream.facts.peer) > own;
  }

  private where(test: (stream: LiveStream) => boolean): LiveStream[] {
    const found: LiveStream[] = [];
    for (const stream of this.streams.values()) if (test(stream)) found.push(stream);
    return found;
  }

  private count(stream: LiveStream, change: 1 | -1): void {
    const left = this.onConnection(stream.facts.peer) + change;
    if (left > 0) this.perConnection.set(stream.facts.peer, left);
    else this.perConnection.delete(stream.facts.peer);
  }
}
