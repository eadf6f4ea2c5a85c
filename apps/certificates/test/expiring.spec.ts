import type { Services } from '../src/compose.js';
import { markUsed } from '../src/expiring/expiring.store.js';
import { SERVICES } from '../src/tokens.js';
import { Suite } from './suite.js';

const day = 24 * 3_600_000;

describe('certificates.md 4: certificate.expiring', () => {
  let suite: Suite;
  let replica: Suite;

  beforeEach(async () => {
    suite = await Suite.start();
    replica = await suite.replica();
  });
  afterEach(async () => {
    await replica.stop();
    await suite.stop();
  });
  afterAll(() => Suite.stopAll());

  /** Both replicas look at once; the days left that events have told of each serial. */
  async function told(...serials: string[]): Promise<number[][]> {
    const both = [suite, replica].map((each) =>
      each.app.get<Services>(SERVICES, { strict: false }).expiring.tell(),
    );
    await Promise.all(both);
    const rows = await suite.store.query<{ envelope: string }>(
      `SELECT envelope FROM outbox WHERE envelope::json->>'type' = 'certificate.expiring' ORDER BY seq`,
    );
    const events = rows.map((row) => JSON.parse(row.envelope));
    return serials.map((serial) =>
      events.filter(({ subject }) => subject === serial).map(({ data }) => data.days_left),
    );
  }

  it('is told at 30, 7 and 1 days, once per step over two replicas', async () => {
    const { serial } = await suite.issued();
    expect(await told(serial)).toEqual([[]]);
    suite.clock.advance(59.9 * day);
    expect(await told(serial)).toEqual([[]]);
    for (const [days, steps] of [
      [0.1, [30]],
      [1, [30]],
      [22, [30, 7]],
      [6, [30, 7, 1]],
      [0.5, [30, 7, 1]],
      [1, [30, 7, 1]],
    ] as const) {
      suite.clock.advance(days * day);
      expect(await told(serial)).toEqual([steps]);
    }
    const text = (await suite.send('GET', '/metrics')).text;
    expect(text).toContain('glacis_certs_expiring{days="30"} 0');
  });

  it('is told at a third and a tenth of a shorter life, and once after a long silence', async () => {
    const [one, two] = [await suite.issued({ ttl: '720h' }), await suite.issued({ ttl: '720h' })];
    suite.clock.advance(20 * day);
    expect(await told(one.serial)).toEqual([[10]]);
    suite.clock.advance(7 * day);
    expect(await told(one.serial, two.serial)).toEqual([
      [10, 3],
      [10, 3],
    ]);
    const late = await suite.issued({ ttl: '24h' });
    suite.clock.advance(0.95 * day);
    expect(await told(late.serial)).toEqual([[1]]);
  });

  it('is told of nothing that is revoked, and not after a successor is in use', async () => {
    const [revoked, renewed] = [await suite.issued(), await suite.issued()];
    const { token } = revoked;
    await suite.send('PATCH', `/certs/${revoked.serial}/revoke`, { token });
    const reply = await suite.send('PATCH', `/certs/${renewed.serial}/renew`, {
      token,
      headers: { accept: 'application/json' },
      body: { ttl: '4800h' },
    });
    suite.clock.advance(60 * day);
    // The successor exists, but its holder still uses the old one.
    expect(await told(revoked.serial, renewed.serial)).toEqual([[], [30]]);
    await markUsed(suite.store, reply.json().serial_number, suite.clock.now());
    suite.clock.advance(24 * day);
    expect(await told(renewed.serial)).toEqual([[30]]);
  });
});
