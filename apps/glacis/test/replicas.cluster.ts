import { status } from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
import { withConnection } from '@glacis/store';
import { startKafka, type KafkaCluster } from '@glacis/testbed/cluster';
import { startDistributed, type DistributedSuite } from './distributed-suite.js';
import { openssl, temporaryFolder } from '@glacis/testbed';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closed, Hosts, type Host, type LiveStream } from './hosts.js';

/** With a second way to the brokers, which the second replica of each service takes. */
let kafka: KafkaCluster;
let suite: DistributedSuite;
const hosts = new Hosts(() => suite);

beforeAll(async () => {
  kafka = await startKafka({ proxied: true });
  suite = await startDistributed({
    replicaSettings: (_, index) => ({
      KAFKA_BROKERS: (index === 0 ? kafka.brokers : kafka.proxied!.brokers).join(),
    }),
  });
}, 240_000);
afterAll(async () => {
  hosts.close();
  await suite?.close();
  await kafka?.stop();
}, 60_000);

const managers = (index: number): string => suite.replicas.managers[index]!;

/** Straight at each replica of a service, past the gateway. */
const everywhere = (
  service: 'certificates' | 'backends',
  path: string,
  init?: RequestInit,
): Promise<Response[]> =>
  Promise.all(suite.replicas.urls[service].map((url) => fetch(url + path, init)));

const ended = async (stream: LiveStream, deadlineMs?: number): Promise<number> => {
  const what = 'the end of the stream';
  return waitFor(() => stream.status(), { what, deadlineMs });
};

const rows = <T>(sql: string, params: unknown[] = []): Promise<T[]> =>
  withConnection(suite.databaseUrl, (connection) => connection.query<T>(sql, params));

interface Issuer {
  issuer_id: string;
  kind: string;
  state: string;
}
const issuers = async (): Promise<Issuer[]> =>
  (await suite.api.json<{ issuers: Issuer[] }>('GET', '/certs/ca/issuers')).issuers;

async function ocspStatus(reply: Response): Promise<string | undefined> {
  const file = join(await temporaryFolder(), 'response.der');
  await writeFile(file, Buffer.from(await reply.arrayBuffer()));
  const shown = await openssl(['ocsp', '-respin', file, '-text', '-noverify']);
  return /Cert Status: (\w+)/.exec(shown.stdout.toString())?.[1];
}

async function terminations(backend: string): Promise<string[]> {
  const path = `/backends/${backend}/terminations`;
  const { terminations } = await suite.api.json<{ terminations: { state: string }[] }>('GET', path);
  return terminations.map(({ state }) => state);
}

it('certificates.md 16.8: two replicas that start on an empty database make one CA', async () => {
  const [one, two] = await everywhere('certificates', '/certs/ca');
  expect(await one!.text()).toBe(await two!.text());
  expect((await issuers()).map(({ kind }) => kind).toSorted()).toEqual(['intermediate', 'root']);
});

it('certificates.md 16.2: a download token works once, on whichever replica', async () => {
  const { serial } = await hosts.enrolled();
  const link = await hosts.downloadLink(serial);
  const all = await Promise.all(Array.from({ length: 10 }, () => everywhere('certificates', link)));
  const statuses = all.flat().map((reply) => reply.status);
  expect(statuses.filter((code) => code === 200)).toHaveLength(1);
  expect(statuses.filter((code) => code === 401)).toHaveLength(19);
});

it('certificates.md 16.6 and 16.7: after a change both replicas answer with it, and with equal CRLs', async () => {
  const { serial } = await hosts.enrolled();
  kafka.proxied!.cut();
  try {
    await suite.api.call('PATCH', `/certs/${serial}/revoke`, { reason: 'keyCompromise' });
    const crls = await everywhere('certificates', '/certs/crl?format=pem');
    const [one, two] = await Promise.all(crls.map((reply) => reply.text()));
    expect(one).toBe(two);
    expect(one).toContain('BEGIN X509 CRL');
    const request = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ serial_number: serial }),
    };
    for (const reply of await everywhere('certificates', '/certs/ocsp', request)) {
      expect(await ocspStatus(reply)).toBe('revoked');
    }
  } finally {
    kafka.proxied!.heal();
  }
});

it('backends.md 16.3: a revocation ends the stream, whichever replica holds it; the next is refused by both', async () => {
  for (const holder of [0, 1]) {
    const host = await hosts.enrolled();
    const stream = await hosts.connected(host, managers(holder));
    await suite.api.call('PATCH', `/certs/${host.serial}/revoke`);
    expect(await ended(stream)).toBe(status.UNAUTHENTICATED);
    expect(stream.messages).toEqual(closed);
    await waitFor(async () => !(await hosts.isActive(host)));
    for (const index of [0, 1]) {
      await expect(hosts.connected(host, managers(index))).rejects.toThrow('refused');
    }
  }
});

it('backends.md 16.4: the newest stream wins across two replicas; the older sees Terminate', async () => {
  const host = await hosts.enrolled();
  const older = await hosts.connected(host, managers(0));
  const newer = await hosts.connected(host, managers(1));
  expect(await ended(older)).toBe(status.ABORTED);
  expect(older.messages).toEqual([{ kind: 'terminate', value: { message: 'Backend Replaced' } }]);
  expect(await hosts.isLive(newer, host)).toBe(true);
});

it('backends.md 16.5: five retries at two replicas are one termination', async () => {
  const host = await hosts.enrolled();
  const stream = await hosts.connected(host, managers(1));
  const headers = { authorization: `Bearer ${suite.token}` };
  const path = `/backends/terminate/${host.backend}/1`;
  const calls = Array.from({ length: 5 }, () => everywhere('backends', path, { headers }));
  const statuses = (await Promise.all(calls)).flat().map((reply) => reply.status);
  expect(new Set(statuses)).toEqual(new Set([204]));
  expect(await ended(stream)).toBe(status.OK);
  expect(stream.messages).toEqual(closed);
  await waitFor(async () => {
    const states = await terminations(host.backend);
    // Those that came after the end found nobody connected.
    return states.filter((state) => state !== 'not_connected').join() === 'closed';
  });
});

/** After the end of an issuer our services need certificates of the next one to speak to one another. */
const enrolledSoon = (): Promise<Host> =>
  waitFor(() => hosts.enrolled(), {
    what: 'services with new certificates',
    deadlineMs: 20_000,
    everyMs: 250,
  });

describe('backends.md 16.10: a revoked issuer', () => {
  const revokeIssuer = async (): Promise<string> => {
    const signing = (await issuers()).find(
      ({ kind, state }) => kind === 'intermediate' && state === 'current',
    );
    await suite.api.call('PATCH', `/certs/ca/${signing?.issuer_id}/revoke`);
    return String(signing?.issuer_id);
  };

  it('ends its streams on two replicas by one event; a new one signs at once', async () => {
    const [one, two] = [await hosts.enrolled(), await hosts.enrolled()];
    const streams = [
      await hosts.connected(one, managers(0)),
      await hosts.connected(two, managers(1)),
    ];
    const issuer = await revokeIssuer();
    for (const stream of streams) expect(await ended(stream)).toBe(status.UNAUTHENTICATED);
    expect(
      await rows(`SELECT 1 FROM certificates.outbox WHERE type = 'issuer.revoked' AND key = $1`, [
        issuer,
      ]),
    ).toHaveLength(1);
    await expect(hosts.connected(one, managers(1))).rejects.toThrow('refused');
    const next = await enrolledSoon();
    expect(await hosts.isLive(await hosts.connected(next, managers(1)), next)).toBe(true);
  });

  it('does so within 10 s on a replica that the event does not reach', async () => {
    const host = await enrolledSoon();
    const stream = await hosts.connected(host, managers(1));
    kafka.proxied!.cut();
    try {
      await revokeIssuer();
      expect(await ended(stream, 10_000)).toBe(status.UNAUTHENTICATED);
    } finally {
      kafka.proxied!.heal();
    }
  });
});

it('backends.md 16.7: a killed holder’s backend is inactive within 45 s, its requests are carried out, and it comes back elsewhere', async () => {
  const [host, other] = [await enrolledSoon(), await enrolledSoon()];
  const [stream] = [
    await hosts.connected(host, managers(1)),
    await hosts.connected(other, managers(1)),
  ];
  await suite.replicas.replica('backends', 1).kill();
  expect(await ended(stream)).toBe(status.UNAVAILABLE);
  await suite.api.call('POST', `/backends/terminate/${host.backend}/1`);
  // A manager does not wait for the lease of the dead one to end.
  expect(await hosts.isLive(await hosts.connected(other, managers(0)), other)).toBe(true);
  await waitFor(async () => !(await hosts.isActive(host)), {
    what: 'an inactive backend',
    deadlineMs: 50_000,
  });
  await waitFor(async () => (await terminations(host.backend)).join() === 'closed', {
    what: 'the request to be carried out',
  });
  const [last] = await rows<{ envelope: string }>(
    `SELECT envelope FROM backends.outbox WHERE type = 'backend.disconnected' AND key = $1`,
    [host.backend],
  );
  expect(JSON.parse(last!.envelope)).toMatchObject({ data: { reason: 'replica_lost' } });
  await suite.replicas.replica('backends', 1).start();
  expect(await hosts.isLive(await hosts.connected(host, managers(1)), host)).toBe(true);
}, 120_000);
