import { keyStreams, Party, type Link, type PartyId } from '@glacis/mpc';
import { Channel, CHANNEL_TIMES, type ChannelTimes } from './channel.js';
import { dial, type Address } from './dial.js';
import { sayHello, type Hello } from './hello.js';
import type { LinkListener } from './listener.js';
import { linkKey, type PartyIdentity } from './tls.js';

export interface Neighbour {
  /** The URI that its certificate must be for. */
  uri: string;
}

export interface RingOptions {
  identity: PartyIdentity;
  listener: LinkListener;
  hello: Hello;
  next: Neighbour & { address: Address };
  previous: Neighbour;
  /** Milliseconds until both links must be up; default 30,000. */
  connectMs?: number;
  times?: ChannelTimes;
}

/** The two links of a party of three, and what it is on them. */
export class Ring implements Link {
  readonly party: Party;

  private constructor(
    id: PartyId,
    private readonly keys: { next: Uint8Array; previous: Uint8Array },
    private readonly channels: { next: Channel; previous: Channel },
  ) {
    this.party = new Party(id, keyStreams(keys));
  }

  /**
   * Dials the next party, takes the previous one, says hello to both.
   * @throws {LinkError} and both links are closed then
   */
  static async open(options: RingOptions): Promise<Ring> {
    const { identity, listener, hello, next, previous, connectMs = 30_000 } = options;
    const own = new AbortController();
    const signal = AbortSignal.any([own.signal, AbortSignal.timeout(connectMs)]);
    const dialled = dial(identity, next.address, next.uri, signal);
    const accepted = listener.accept(previous.uri, signal);
    const sockets = await Promise.all([dialled, accepted]).catch(async (error: unknown) => {
      own.abort();
      const left = await Promise.allSettled([dialled, accepted]);
      for (const each of left) if (each.status === 'fulfilled') each.value.destroy();
      throw error;
    });
    const [towards, from] = sockets;
    const keys = {
      next: linkKey(towards, hello.job, hello.attempt),
      previous: linkKey(from, hello.job, hello.attempt),
    };
    const times = options.times ?? CHANNEL_TIMES;
    const ring = new Ring(hello.party, keys, {
      next: new Channel(towards, times),
      previous: new Channel(from, times),
    });
    await ring.greet(hello);
    return ring;
  }

  get bytesSent(): number {
    return this.channels.next.bytesSent + this.channels.previous.bytesSent;
  }

  send(to: 'next' | 'previous', words: Int32Array): Promise<void> {
    return this.channels[to].send(words);
  }

  receive(from: 'next' | 'previous', length: number): Promise<Int32Array> {
    return this.channels[from].receive(length);
  }

  /** The end of a run that went well: both neighbours have what was sent to them, and say so. */
  async settle(): Promise<void> {
    await Promise.all([this.channels.next.settle(), this.channels.previous.settle()]);
    this.close(false);
  }

  /** @param aborted the run failed here; the neighbours are told */
  close(aborted: boolean): void {
    this.channels.next.close(aborted);
    this.channels.previous.close(aborted);
    this.keys.next.fill(0);
    this.keys.previous.fill(0);
  }

  private async greet(hello: Hello): Promise<void> {
    const { next, previous } = this.channels;
    try {
      await Promise.all([
        sayHello(next, hello, ((hello.party + 1) % 3) as PartyId),
        sayHello(previous, hello, ((hello.party + 2) % 3) as PartyId),
      ]);
    } catch (error) {
      this.close(true);
      throw error;
    }
  }
}
