import type { IncomingMessage } from 'node:http';
import { waitFor } from '@glacis/runtime';

/** One event of a stream. */
export interface ServerSentEvent {
  event: string;
  id?: string;
  data: any; // oxlint-disable-line typescript/no-explicit-any -- tests read members by name
}

/** The events of an open stream, as they come. */
export class EventReader {
  readonly events: ServerSentEvent[] = [];
  ended = false;
  private rest = '';

  constructor(private readonly incoming: IncomingMessage) {
    incoming.setEncoding('utf8');
    incoming.on('data', (chunk: string) => this.take(chunk));
    incoming.on('close', () => (this.ended = true));
    incoming.on('error', () => undefined);
  }

  /** The first that fits, now or later. */
  next(event: string, fits: (data: ServerSentEvent['data']) => boolean = () => true) {
    const find = (): ServerSentEvent | undefined =>
      this.events.find((each) => each.event === event && fits(each.data));
    return waitFor(async () => find(), { what: `event ${event}`, deadlineMs: 30_000 });
  }

  close(): void {
    this.incoming.destroy();
  }

  private take(chunk: string): void {
    const parts = (this.rest + chunk).split('\n\n');
    this.rest = parts.pop() ?? '';
    for (const part of parts) {
      const lines = part.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2));
      const { event, id, data } = Object.fromEntries(lines) as Record<string, string>;
      if (event !== undefined) this.events.push({ event, id, data: JSON.parse(data ?? 'null') });
    }
  }
}
