/**
 * The way of one party to its neighbours; party i's next is i + 1, its previous i - 1 (mod 3). Words arrive in the order in
 * which they were sent. How they travel (frames, TLS) is not the protocol's business.
 */
export interface Link {
  /** Takes the words over at once; the array may be used again when the promise resolves. */
  send(to: 'next' | 'previous', words: Int32Array): Promise<void>;
  /** The next `length` words from that neighbour; rejects when the link is lost. */
  receive(from: 'next' | 'previous', length: number): Promise<Int32Array>;
}

/** What one party says in one round, and how many words it is told. */
export interface Round {
  toNext: readonly Int32Array[];
  toPrevious: readonly Int32Array[];
  fromNext: number;
  fromPrevious: number;
}

export interface Received {
  next: Int32Array;
  previous: Int32Array;
}

/**
 * A protocol of one party: yields a round and goes on with what its neighbours said in it. Being a generator it computes
 * the same in one thread with all three parties, in three processes, and beside others in one round.
 */
export type Protocol<T> = Generator<Round, T, Received>;

/** What the neighbours said in this round. */
export function* exchange(round: Partial<Round>): Protocol<Received> {
  return yield { toNext: [], toPrevious: [], fromNext: 0, fromPrevious: 0, ...round };
}

const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Runs independent protocols in step: their rounds are shared (jobs.md 11.9). All parties name them in the same order. */
export function* together<T extends readonly Protocol<unknown>[]>(
  ...protocols: T
): Protocol<{ [K in keyof T]: T[K] extends Protocol<infer R> ? R : never }> {
  let states = protocols.map((protocol) => protocol.next());
  for (;;) {
    const rounds = states.flatMap((state) => (state.done ? [] : [state.value]));
    if (rounds.length === 0) break;
    const answer = yield {
      toNext: rounds.flatMap((round) => round.toNext),
      toPrevious: rounds.flatMap((round) => round.toPrevious),
      fromNext: sum(rounds.map((round) => round.fromNext)),
      fromPrevious: sum(rounds.map((round) => round.fromPrevious)),
    };
    const at = { next: 0, previous: 0 };
    states = states.map((state, index) => {
      if (state.done) return state;
      const { fromNext, fromPrevious } = state.value;
      const next = answer.next.subarray(at.next, (at.next += fromNext));
      const previous = answer.previous.subarray(at.previous, (at.previous += fromPrevious));
      return protocols[index].next({ next, previous });
    });
  }
  return states.map(({ value }) => value) as never;
}

/** One after another, so that a link needs no queue and its backpressure is felt. */
async function sendAll(
  link: Link,
  to: 'next' | 'previous',
  parts: readonly Int32Array[],
): Promise<void> {
  for (const words of parts) await link.send(to, words);
}

/** Carries a protocol out over a link: sending and receiving go on at once in both directions. */
export async function run<T>(protocol: Protocol<T>, link: Link): Promise<T> {
  let state = protocol.next();
  while (!state.done) {
    const { toNext, toPrevious, fromNext, fromPrevious } = state.value;
    const [next, previous] = await Promise.all([
      link.receive('next', fromNext),
      link.receive('previous', fromPrevious),
      sendAll(link, 'next', toNext),
      sendAll(link, 'previous', toPrevious),
    ]);
    state = protocol.next({ next, previous });
  }
  return state.value;
}
