import { waitFor } from '@glacis/runtime';
import { setImmediate } from 'node:timers/promises';
import { BusClosedError, type BusDriver, type BusMessage, type Deliver } from '../src/bus.js';
import { message, nameOf } from './messages.js';

/** A bus for one test. */
export interface TestBus {
  /** Two topics that carry messages of this test only; the first is the one of `message()`. */
  topics: readonly [string, string];
  /** A new client of the bus, as a process has it after a (re)start. The test closes it. */
  connect(): Promise<BusDriver>;
  /** Ends the bus. */
  stop(): Promise<void>;
}

/** A consumer group that writes down what it took, by the names of the messages. */
class Group {
  readonly taken: string[] = [];
  /** Names refused once each. */
  readonly refuse = new Set<string>();
  /** Refuses everything while true. */
  broken = false;

  readonly deliver: Deliver = async (messages) => {
    const names = messages.map(nameOf);
    await setImmediate();
    if (this.broken || names.some((name) => this.refuse.delete(name))) {
      throw new Error('refused');
    }
    this.taken.push(...names);
  };

  async took(count: number): Promise<void> {
    await waitFor(() => new Set(this.taken).size >= count, { what: `${count} messages` });
  }

  /** Each name where it was taken first. */
  get order(): string[] {
    return [...new Set(this.taken)];
  }
}

const numbered = (key: string, count: number): BusMessage[] =>
  Array.from({ length: count }, (_, i) => message(key, `${key}/${i}`));
const names = (messages: readonly BusMessage[]): string[] => messages.map(nameOf);

/** The cases that every bus driver has to pass. */
export function busContract(name: string, makeBus: () => Promise<TestBus>): void {
  describe(`${name} keeps the bus contract`, () => {
    let bus: TestBus;
    let clients: BusDriver[];

    const connect = async (): Promise<BusDriver> => {
      const client = await bus.connect();
      clients.push(client);
      return client;
    };
    const at = (messages: readonly BusMessage[], topic: string): BusMessage[] =>
      messages.map((each) => ({ ...each, topic }));

    beforeEach(async () => {
      bus = await makeBus();
      clients = [];
    });
    afterEach(async () => {
      await Promise.all(clients.map((client) => client.close()));
      await bus.stop();
    });

    test('a message goes to every group of its topic, unchanged, and to no other', async () => {
      const client = await connect();
      const seen: BusMessage[] = [];
      const [one, two, other] = [new Group(), new Group(), new Group()];
      await client.subscribe('one', [bus.topics[0]], async (messages) => {
        seen.push(...messages);
        await one.deliver(messages);
      });
      await client.subscribe('two', bus.topics, two.deliver);
      await client.subscribe('other', [bus.topics[1]], other.deliver);
      const first = at([message('a', 'first')], bus.topics[0]);
      await client.publish([...first, ...at([message('a', 'second')], bus.topics[1])]);
      await Promise.all([one.took(1), two.took(2), other.took(1)]);
      expect(one.order).toEqual(['first']);
      expect(other.order).toEqual(['second']);
      expect(seen.slice(0, 1)).toMatchObject(first);
    });

    test('messages of a key keep their order while many publishes are under way', async () => {
      const client = await connect();
      const group = new Group();
      await client.subscribe('group', [bus.topics[0]], group.deliver);
      const keys = ['a', 'b', 'c'].map((key) => at(numbered(key, 100), bus.topics[0]));
      const publishes: Promise<void>[] = [];
      for (let i = 0; i < 100; i++) {
        publishes.push(client.publish(keys.flatMap((messages) => messages.slice(i, i + 1))));
        // Deliveries begin between the publishes, so that there are many.
        await setImmediate();
      }
      await Promise.all(publishes);
      await group.took(300);
      for (const messages of keys) {
        const wanted = new Set(names(messages));
        expect(group.order.filter((each) => wanted.has(each))).toEqual(names(messages));
      }
    });

    test('what a group refuses comes again, before later messages of its key', async () => {
      const client = await connect();
      const group = new Group();
      await client.subscribe('group', [bus.topics[0]], group.deliver);
      const messages = at(numbered('a', 20), bus.topics[0]);
      ['a/0', 'a/7', 'a/19'].forEach((each) => group.refuse.add(each));
      const publishes: Promise<void>[] = [];
      for (const each of messages) {
        publishes.push(client.publish([each]));
        await setImmediate();
      }
      await Promise.all(publishes);
      await group.took(20);
      expect(group.order).toEqual(names(messages));
    });

    test('a group that takes nothing holds up no other', async () => {
      const client = await connect();
      const [broken, good] = [new Group(), new Group()];
      broken.broken = true;
      await client.subscribe('broken', [bus.topics[0]], broken.deliver);
      await client.subscribe('good', [bus.topics[0]], good.deliver);
      const messages = at(numbered('a', 600), bus.topics[0]);
      const published = Promise.all(messages.map((each) => client.publish([each])));
      await good.took(600);
      expect(broken.taken).toEqual([]);
      broken.broken = false;
      await published;
      await broken.took(600);
      expect(broken.order).toEqual(names(messages));
    });

    test('a listener hears everything from now on, and nothing from before', async () => {
      const client = await connect();
      await client.publish(at([message('a', 'before')], bus.topics[0]));
      const heard: string[][] = [[], []];
      for (const own of heard) {
        await client.listen([bus.topics[0]], (each) => void own.push(nameOf(each)));
      }
      const messages = at(numbered('a', 10), bus.topics[0]);
      await client.publish(messages);
      await client.publish(at([message('a', 'elsewhere')], bus.topics[1]));
      await waitFor(() => heard.every((own) => own.length === 10), { what: '10 broadcasts' });
      heard.forEach((own) => expect(own).toEqual(names(messages)));
    });

    test('a listener hears while the groups are stuck', async () => {
      const client = await connect();
      const stuck = new Group();
      stuck.broken = true;
      await client.subscribe('stuck', [bus.topics[0]], stuck.deliver);
      const heard: string[] = [];
      await client.listen([bus.topics[0]], (each) => void heard.push(nameOf(each)));
      const published = client.publish(at([message('a', 'urgent')], bus.topics[0]));
      await waitFor(() => heard.length > 0, { what: 'the broadcast' });
      stuck.broken = false;
      await published;
    });

    test('after a restart every message that was published, or is published again, arrives', async () => {
      const before = await connect();
      const group = new Group();
      group.broken = true;
      await before.subscribe('group', [bus.topics[0]], group.deliver);
      const messages = at(numbered('a', 10), bus.topics[0]);
      const outcome = before.publish(messages).then(
        () => 'published',
        (error: unknown) => error,
      );
      await before.close();
      const published = await outcome;
      expect(published === 'published' || published instanceof BusClosedError).toBe(true);

      const after = await connect();
      group.broken = false;
      await after.subscribe('group', [bus.topics[0]], group.deliver);
      if (published !== 'published') await after.publish(messages);
      await group.took(10);
      expect(group.order).toEqual(names(messages));
    });

    test('close waits for the delivery under way, and then nothing is delivered or published', async () => {
      const client = await connect();
      const calls: string[] = [];
      let finish: () => void = () => undefined;
      await client.subscribe('group', [bus.topics[0]], async (messages) => {
        calls.push(`start ${names(messages).join(' ')}`);
        await new Promise<void>((resolve) => (finish = resolve));
        calls.push('end');
      });
      const publish = (each: string): Promise<void> =>
        client.publish(at([message('a', each)], bus.topics[0])).catch(() => undefined);
      const publishes = [publish('first')];
      await waitFor(() => calls.length > 0, { what: 'the delivery' });
      publishes.push(publish('second'));
      const closed = client.close().then(() => calls.push('closed'));
      finish();
      await closed;
      await Promise.all(publishes);
      expect(calls).toEqual(['start first', 'end', 'closed']);
      await expect(
        client.publish(at([message('a', 'late')], bus.topics[0])),
      ).rejects.toBeInstanceOf(BusClosedError);
    });
  });
}
