import type { BusDriver, BusMessage, Deliver } from '../src/bus.js';
import { message, nameOf } from './messages.js';

/** Publishes numbered messages of one key without pause, several publishes under way at once. */
export class Writer {
  acknowledged = 0;
  private sent = 0;
  private stopped = false;
  private readonly done: Promise<void>;

  constructor(
    private readonly bus: BusDriver,
    readonly key: string,
  ) {
    this.done = this.run();
  }

  /** Resolves when all that was sent is acknowledged. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.done;
  }

  private async run(): Promise<void> {
    const underWay: Promise<void>[] = [];
    while (!this.stopped) {
      underWay.push(this.publish(Array.from({ length: 5 }, () => String(this.sent++))));
      if (underWay.length >= 4) await underWay.shift();
    }
    await Promise.all(underWay);
  }

  private async publish(names: string[]): Promise<void> {
    await this.bus.publish(names.map((name) => message(this.key, name)));
    this.acknowledged += names.length;
  }
}

/** What consumers of one group took between them: the numbers of each key, where they came first. */
export class Taken {
  readonly deliver: Deliver = async (messages) => messages.forEach((each) => this.add(each));
  private readonly byKey = new Map<string, Set<number>>();

  get count(): number {
    return [...this.byKey.values()].reduce((sum, own) => sum + own.size, 0);
  }

  of(key: string): number[] {
    return [...(this.byKey.get(key) ?? [])];
  }

  private add(each: BusMessage): void {
    const own = this.byKey.get(each.key) ?? new Set();
    this.byKey.set(each.key, own.add(Number(nameOf(each))));
  }
}

/** Everything that writers had acknowledged, each number where it belongs. */
export function expectAll(taken: Taken, writers: readonly Writer[]): void {
  for (const { key, acknowledged } of writers) {
    expect(taken.of(key)).toEqual(Array.from({ length: acknowledged }, (_, i) => i));
  }
}

export const acknowledged = (writers: readonly Writer[]): number =>
  writers.reduce((sum, writer) => sum + writer.acknowledged, 0);
