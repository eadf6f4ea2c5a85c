import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { duplexPair } from '../../test/duplex-pair.js';
import { Channel, CHANNEL_TIMES } from './channel.js';
import { writeHeader } from './frame.js';
import { sayHello, type Hello } from './hello.js';

const open: Channel[] = [];
const track = (channel: Channel): Channel => {
  open.push(channel);
  return channel;
};
afterEach(() => open.splice(0).forEach((channel) => channel.close(false)));

function pair(times = CHANNEL_TIMES): [Channel, Channel] {
  const [a, b] = duplexPair();
  return [track(new Channel(a, times)), track(new Channel(b, times))];
}

/** A channel whose peer sends raw bytes. */
function raw(times = CHANNEL_TIMES): { channel: Channel; say: (...bytes: Buffer[]) => void } {
  const [a, b] = duplexPair();
  b.resume();
  return {
    channel: track(new Channel(a, times)),
    say: (...bytes) => void b.write(Buffer.concat(bytes)),
  };
}

const hello: Hello = {
  version: 1,
  job: 'job',
  attempt: 1,
  party: 0,
  parties: 3,
  plan_hash: 'sha256:plan',
  facts: 'sha256:facts',
  rows: [[3]],
  wide: [],
  policies: ['sha256:policy'],
};

describe('words', () => {
  test('come in order, whatever sizes they are sent and asked for in', async () => {
    const [a, b] = pair();
    const sizes = [1, 5, 30_000, 2, 0, 3_000_000, 7];
    const words = Int32Array.from({ length: 3_030_015 }, (_each, i) => Math.imul(i, 0x9e3779b9));
    let at = 0;
    const sending = (async () => {
      for (const size of sizes) {
        const part = words.slice(at, (at += size));
        await a.send(part);
        // The array is the sender's again.
        part.fill(0);
      }
    })();
    const first = await b.receive(10);
    const rest = await b.receive(words.length - 10);
    await sending;
    expect(Buffer.from(first.buffer).equals(Buffer.from(words.slice(0, 10).buffer))).toBe(true);
    expect(Buffer.from(rest.buffer).equals(Buffer.from(words.slice(10).buffer))).toBe(true);
    await Promise.all([a.settle(), b.settle()]);
  });

  test('small messages of one turn share a frame', async () => {
    const [near, far] = duplexPair();
    const channel = track(new Channel(near));
    const chunks: Buffer[] = [];
    far.on('data', (chunk: Buffer) => chunks.push(chunk));
    const sent = [1, 2, 3].map((word) => channel.send(Int32Array.of(word)));
    await Promise.all(sent);
    await new Promise((done) => setImmediate(done));
    expect(Buffer.concat(chunks)).toHaveLength(12 + 3 * 4);
  });
});

test('what was received belongs to the receiver alone: a link that is up keeps none of it', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const [a, b] = pair();
  const received = async (): Promise<WeakRef<Int32Array>> => {
    await a.send(Int32Array.of(1));
    return new WeakRef(await b.receive(1));
  };
  const words = await received();
  // What is referred to weakly lives until the end of the turn in which it was looked at.
  await new Promise((done) => setImmediate(done));
  collect();
  expect(words.deref()).toBeUndefined();
});

describe('what is not due ends the link', () => {
  const data = (op: number, length = 4): Buffer[] => [
    writeHeader({ type: 'data', length, flags: 0, op }),
    Buffer.alloc(length),
  ];

  test.each([
    ['a repeated op', [...data(1), ...data(1)]],
    ['a left out op', data(2)],
    ['half a word', data(1, 6)],
    ['no words', data(1, 0)],
    ['an unknown type', [Buffer.alloc(12, 9)]],
    [
      'a second hello',
      Array.from({ length: 2 }, () => writeHeader({ type: 'hello', length: 0, flags: 0, op: 0 })),
    ],
    ['a ping with a number', [writeHeader({ type: 'ping', length: 0, flags: 0, op: 1 })]],
  ])('%s', async (_name, bytes) => {
    const { channel, say } = raw();
    say(...bytes);
    await expect(channel.receive(9)).rejects.toMatchObject({
      failure: 'protocol',
      code: 'protocol_desync',
    });
    await expect(channel.receive(9)).rejects.toThrow('');
  });

  test('an abort of the peer, and its end', async () => {
    const [a, b] = pair();
    b.close(true);
    await expect(a.receive(1)).rejects.toMatchObject({
      failure: 'transient',
      code: 'peer_aborted',
    });
    const [c, d] = pair();
    d.close(false);
    await expect(c.receive(1)).rejects.toMatchObject({ failure: 'transient', code: 'peer_lost' });
  });

  test('sides that count differently at the end', async () => {
    const { channel, say } = raw();
    say(writeHeader({ type: 'digest', length: 32, flags: 0, op: 0 }), Buffer.alloc(32));
    await expect(channel.settle()).rejects.toMatchObject({ code: 'digest_mismatch' });
  });
});

describe('a silent peer', () => {
  const times = { idleMs: 40, lostMs: 200 };

  test('is pinged and answers', async () => {
    const [near, far] = duplexPair();
    track(new Channel(near, { idleMs: 40, lostMs: 60_000 }));
    const [ping] = (await new Promise<Buffer[]>((done) =>
      far.once('data', (chunk: Buffer) => done([chunk])),
    )) as [Buffer];
    expect(ping).toEqual(writeHeader({ type: 'ping', length: 0, flags: 0, op: 0 }));
    const { channel, say } = raw();
    void channel;
    say(ping);
  });

  test('that stalls is lost', async () => {
    const { channel } = raw(times);
    await expect(channel.receive(1)).rejects.toMatchObject({
      failure: 'transient',
      code: 'peer_lost',
    });
  });
});

describe('hello', () => {
  const greet = async (theirs: Partial<Hello>): Promise<PromiseSettledResult<void>[]> => {
    const [a, b] = pair();
    return Promise.allSettled([
      sayHello(a, hello, 1),
      sayHello(b, { ...hello, party: 1, ...theirs }, 0),
    ]);
  };

  test('neighbours that agree go on', async () => {
    expect((await greet({})).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
  });

  test.each<[keyof Hello, Partial<Hello>]>([
    ['version', { version: 2 as 1 }],
    ['job', { job: 'other' }],
    ['attempt', { attempt: 2 }],
    ['parties', { parties: 4 }],
    ['plan_hash', { plan_hash: 'sha256:other' }],
    ['facts', { facts: 'sha256:other' }],
    ['rows', { rows: [[4]] }],
    ['wide', { wide: ['0.Age'] }],
    ['policies', { policies: [] }],
  ])('a difference in %s is found by both', async (member, theirs) => {
    for (const outcome of await greet(theirs))
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: {
          failure: 'protocol',
          code: 'hello_mismatch',
          message: expect.stringContaining(member) as string,
        },
      });
  });

  test('a neighbour that is another party than it should be is found', async () => {
    const [outcome] = await greet({ party: 2 });
    expect(outcome).toMatchObject({ reason: { message: 'party 1 differs in party' } });
  });

  test('what is no hello differs', async () => {
    const { channel, say } = raw();
    const text = Buffer.from('[');
    say(writeHeader({ type: 'hello', length: text.length, flags: 0, op: 0 }), text);
    await expect(sayHello(channel, hello, 1)).rejects.toMatchObject({ code: 'hello_mismatch' });
  });
});
