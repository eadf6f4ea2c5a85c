import { setImmediate as tick } from 'node:timers/promises';
import { KubeError, type WatchEvent } from '../src/index.js';
import type { List, WatchOptions } from '../src/index.js';
import type { Widget } from './widgets.js';

export interface Operation {
  name: string;
  deletes: boolean;
}

/** What happens to the next event on its way: `drop` loses it, `swap` brings it after the one that follows it. */
export type EventFault = 'pass' | 'drop' | 'twice' | 'swap' | 'late' | 'break' | 'gone' | 'replay';

/** An API server as its history: operations happen while it is listed and watched, and events meet faults. */
export class SimulatedHistory {
  readonly events: WatchEvent<Widget>[] = [];
  readonly objects = new Map<string, Widget>();
  private version = 10;

  constructor(
    private readonly operations: Operation[],
    private readonly faults: EventFault[],
  ) {}

  get isOver(): boolean {
    return this.operations.length === 0;
  }

  list = async (): Promise<List<Widget>> => {
    this.step();
    await tick();
    if (this.faults[0] === 'break') {
      this.faults.shift();
      throw new KubeError('unavailable', 'no list');
    }
    const answer = { items: [...this.objects.values()], resourceVersion: String(this.version) };
    this.step();
    await tick();
    return answer;
  };

  async *watch({ resourceVersion, signal }: WatchOptions): AsyncGenerator<WatchEvent<Widget>> {
    let cursor = Number(resourceVersion);
    while (!signal.aborted) {
      await tick();
      for (let i = 0; i < 3; i += 1) this.step();
      const next = this.events.filter((event) => versionOf(event) > cursor);
      cursor = this.version;
      for (const event of this.swapped(next)) yield* this.disturbed(event);
      if (!this.isOver) continue;
      yield this.bookmark();
      break;
    }
  }

  private swapped(events: WatchEvent<Widget>[]): WatchEvent<Widget>[] {
    const order = [...events];
    for (let i = 0; i + 1 < order.length; i += 1) {
      if (this.faults[i] === 'swap') order.splice(i, 2, order[i + 1]!, order[i]!);
    }
    return order;
  }

  private async *disturbed(event: WatchEvent<Widget>): AsyncGenerator<WatchEvent<Widget>> {
    const fault = this.faults.shift() ?? 'pass';
    if (fault === 'break') throw new KubeError('unavailable', 'it broke');
    if (fault === 'gone') throw new KubeError('gone', 'too old');
    if (fault === 'late') await tick();
    if (fault === 'drop') return;
    yield event;
    if (fault === 'twice') yield event;
    if (fault === 'replay') yield this.events[0]!;
  }

  private step(): void {
    const operation = this.operations.shift();
    if (!operation) return;
    const { name, deletes } = operation;
    const old = this.objects.get(name);
    if (deletes && !old) return;
    this.version += 1;
    const metadata = {
      name,
      uid: old?.metadata.uid ?? `${name}-${this.version}`,
      resourceVersion: String(this.version),
    };
    const object: Widget = { apiVersion: 'v1', kind: 'Widget', metadata, spec: { size: 1 } };
    this.events.push({ type: deletes ? 'DELETED' : old ? 'MODIFIED' : 'ADDED', object });
    if (deletes) this.objects.delete(name);
    else this.objects.set(name, object);
  }

  private bookmark(): WatchEvent<Widget> {
    const metadata = { name: '', uid: '', resourceVersion: String(this.version) };
    const object: Widget = { apiVersion: 'v1', kind: 'Widget', metadata, spec: { size: 0 } };
    return { type: 'BOOKMARK', object };
  }
}

const versionOf = ({ object }: WatchEvent<Widget>): number =>
  Number(object.metadata.resourceVersion);
