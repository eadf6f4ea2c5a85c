import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { openssl, temporaryFolder } from '@glacis/testbed';
import { run, shuffle, type Shares } from '@glacis/mpc';
import { partyUri, testCa } from '../../test/identities.js';
import { helloOf, openRings, rings } from '../../test/rings.js';
import { dial } from './dial.js';
import { LinkListener } from './listener.js';
import { tlsOptions, type PartyIdentity } from './tls.js';

const ca = await testCa();
const foreign = await testCa();

/** Shares of rows whose slots are 1, 2 and 4 everywhere. */
const sharesOf = (party: number, rows: number): Shares => ({
  own: new Int32Array(rows).fill(1 << party),
  next: new Int32Array(rows).fill(1 << ((party + 1) % 3)),
});

test('jobs.md 11.10: three parties over TLS run a protocol and settle', async () => {
  const three = await rings({ ca });
  const results = await Promise.all(
    three.map(async (ring, i) => {
      const column = { form: 'boolean', shares: sharesOf(i, 100_000) } as const;
      const [shuffled] = await run(shuffle(ring.party, [column]), ring);
      await ring.settle();
      return (shuffled as { shares: Shares }).shares;
    }),
  );
  const opened = results.map(({ own }) => own);
  expect(opened[0]!.every((word, i) => (word ^ opened[1]![i]! ^ opened[2]![i]!) === 7)).toBe(true);
  expect(three.every(({ bytesSent }) => bytesSent > 0)).toBe(true);
});

test('jobs.md 11.10: a party with another plan ends the run of all before shares move', async () => {
  const hello = (party: 0 | 1 | 2): ReturnType<typeof helloOf> => ({
    ...helloOf(party),
    plan_hash: party === 1 ? 'sha256:other' : 'sha256:plan',
  });
  const outcomes = await openRings({ ca, hello });
  expect(outcomes[1]).toMatchObject({ reason: { code: 'hello_mismatch', failure: 'protocol' } });
  expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
});

test('jobs.md 11.10: a party that gives up ends the run of its neighbours', async () => {
  const [first, second, third] = await rings({ ca });
  first.close(true);
  for (const ring of [second, third])
    await expect(ring.receive(ring === second ? 'previous' : 'next', 1)).rejects.toMatchObject({
      code: 'peer_aborted',
    });
  second.close(false);
  third.close(false);
});

test('both ends of each link send a short last segment at once (TCP_NODELAY)', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Node tells nobody of the option: what sockets of this process share is what sets it in the kernel.
  const { _handle: handle } = server as unknown as { _handle: object };
  const shared = Object.getPrototypeOf(handle) as { setNoDelay: (on: boolean) => number };
  const set = jest.spyOn(shared, 'setNoDelay');
  try {
    const three = await rings({ ca });
    const on = set.mock.contexts.filter((_, i) => set.mock.calls[i]?.[0]);
    expect(new Set(on).size).toBe(6);
    for (const ring of three) ring.close(false);
  } finally {
    set.mockRestore();
    server.close();
  }
});

describe('who may link', () => {
  const party = partyUri(0);
  let listener: LinkListener;
  let identity: PartyIdentity;

  beforeAll(async () => {
    identity = await ca.issue(partyUri(1));
    listener = await LinkListener.open(identity, '127.0.0.1', 0);
  });
  afterAll(() => listener.close());

  const files = async (name: string, who: PartyIdentity): Promise<string[]> => {
    const folder = await temporaryFolder();
    const path = (file: string): string => join(folder, `${name}-${file}.pem`);
    await writeFile(path('key'), who.key);
    await writeFile(path('chain'), who.chain);
    return ['-key', path('key'), '-cert', path('chain')];
  };

  const client = (args: string[]): ReturnType<typeof openssl> =>
    openssl(['s_client', '-connect', `127.0.0.1:${listener.port}`, '-ign_eof', ...args]);

  test.each(['-tls1', '-tls1_1', '-tls1_2'])('not with %s', async (version) => {
    const { stdout, stderr } = await client([
      version,
      ...(await files('own', await ca.issue(party))),
    ]);
    expect(`${stdout.toString()}${stderr}`).toMatch(/protocol version|no protocols available/);
  });

  test('not without a certificate, nor with one of another job', async () => {
    expect((await client([])).stderr).toMatch(/alert certificate required/);
    const other = await client(await files('foreign', await foreign.issue(party)));
    expect(other.stderr).toMatch(/alert unknown ca|unexpected eof/);
  });

  test('not with a session of before', async () => {
    const session = join(await temporaryFolder(), 'session');
    const own = await files('own', await ca.issue(party));
    const accepting = listener.accept(party, AbortSignal.timeout(10_000));
    const going = client([...own, '-sess_out', session]);
    const socket = await accepting;
    socket.end();
    await going;
    const { stdout } = await openssl(['sess_id', '-in', session, '-noout']);
    // No ticket has come, so there is nothing to keep.
    expect(stdout.toString()).toBe('');
  });

  test('a certificate of the job for another URI is closed, and the neighbour still gets in', async () => {
    const wrong = await ca.issue(partyUri(2));
    const right = await ca.issue(party);
    const address = { host: '127.0.0.1', port: listener.port };
    const signal = AbortSignal.timeout(10_000);
    const stranger = await dial(wrong, address, partyUri(1), signal);
    const closed = new Promise<void>((done) => stranger.once('close', () => done()).resume());
    const accepting = listener.accept(party, signal);
    const dialled = await dial(right, address, partyUri(1), signal);
    const accepted = await accepting;
    await closed;
    accepted.destroy();
    dialled.destroy();
  });

  test('a party does not talk to one that is not its next', async () => {
    const address = { host: '127.0.0.1', port: listener.port };
    const dialling = dial(await ca.issue(party), address, partyUri(2), AbortSignal.timeout(10_000));
    await expect(dialling).rejects.toMatchObject({ code: 'peer_refused' });
    expect(tlsOptions(identity)).toMatchObject({ minVersion: 'TLSv1.3' });
  });

  test('nobody comes, nobody is there: the wait has an end', async () => {
    const soon = (): AbortSignal => AbortSignal.timeout(50);
    await expect(listener.accept(partyUri(7), soon())).rejects.toMatchObject({ code: 'peer_lost' });
    const closed = await LinkListener.open(identity, '127.0.0.1', 0);
    const address = { host: '127.0.0.1', port: closed.port };
    closed.close();
    const dialling = dial(identity, address, party, soon());
    await expect(dialling).rejects.toMatchObject({ code: 'peer_lost' });
  });
});
