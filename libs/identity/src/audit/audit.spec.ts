import { createLogger } from '@glacis/observability';
import { ManualClock } from '@glacis/runtime';
import { openStore, type Store } from '@glacis/store';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import fc from 'fast-check';
import { Audit, type AuditEntry } from './audit.js';
import { auditMigrations } from './audit.migrations.js';
import { listAudit } from './audit.store.js';
import { emptyChain } from './chain.js';
import { sealAudit } from './sealer.js';
import { verifyAudit } from './verify-audit.js';

const logger = createLogger({ name: 'test', level: 'silent' });
const entry = (subject: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
  actor: 'ops',
  tenant: 'acme',
  action: 'thing.create',
  subject,
  ...more,
});

let database: TestDatabase;
let store: Store;
let other: Store;
const clock = new ManualClock();
const audit = new Audit(clock);

beforeAll(async () => {
  database = await testDatabase({ things: auditMigrations });
  const options = { service: 'things', url: database.url, migrations: auditMigrations, logger };
  [store, other] = await Promise.all([openStore(options), openStore(options)]);
});

afterAll(async () => {
  await Promise.all([store.close(), other.close()]);
  await database.drop();
});

beforeEach(async () => {
  await store.query('TRUNCATE audit');
  await store.query('UPDATE audit_head SET sequence = 0, hash = $1', [emptyChain.hash]);
});

const record = (...entries: AuditEntry[]) =>
  store.transaction((tx) => audit.recordAll(tx, entries));

/** Records and chains `count` rows with the subjects `1`, `2` and so on. */
async function chainOf(count: number): Promise<void> {
  for (let i = 1; i <= count; i++) {
    clock.advance(1);
    await record(entry(String(i)));
  }
  await sealAudit(store);
}

describe('the trail', () => {
  test('is written with the action or not at all', async () => {
    const failing = store.transaction(async (tx) => {
      await audit.record(tx, entry('1'));
      throw new Error('the action failed');
    });
    await expect(failing).rejects.toThrow('the action failed');
    await store.transaction((tx) => audit.recordAll(tx, []));
    expect((await listAudit(store, {}, { offset: 0, limit: 10 })).total).toBe(0);
  });

  test('comes back as it was told, the newest first, by tenant, action and subject', async () => {
    const before = { name: 'old', tags: [1, { deep: null }] };
    await record(entry('1', { before, after: ['x'], detail: { why: 'test' }, requestId: 'r-1' }));
    clock.advance(1);
    await record(entry('2', { tenant: null }));
    clock.advance(1);
    await record(entry('1', { action: 'thing.delete' }), entry('3', { tenant: 'other' }));
    const list = (filter: object, page = { offset: 0, limit: 10 }) =>
      listAudit(store, filter, page);

    const { total, rows } = await list({ tenant: 'acme', subject: '1' });
    expect([total, rows.map((row) => row.action)]).toEqual([2, ['thing.delete', 'thing.create']]);
    expect(rows[1]).toMatchObject({
      actor: 'ops',
      tenant: 'acme',
      request_id: 'r-1',
      before,
      after: ['x'],
      detail: { why: 'test' },
      sequence: null,
      hash: null,
    });
    expect((await list({})).total).toBe(4);
    expect((await list({}, { offset: 2, limit: 1 })).rows.map((row) => row.subject)).toEqual(['2']);
    expect((await list({ action: 'thing.delete' })).total).toBe(1);
    expect((await list({ tenant: 'nobody' })).rows).toEqual([]);
  });

  test('stays whole whatever documents are recorded, and whoever seals at the same time', async () => {
    const document = fc.option(fc.jsonValue({ maxDepth: 3 }), { nil: undefined });
    const entries = fc.array(
      fc.record({ before: document, after: document, requestId: fc.uuid() }),
      { minLength: 1, maxLength: 20 },
    );
    let recorded = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(entries, { minLength: 1, maxLength: 4 }), async (transactions) => {
        await Promise.all([
          ...transactions.map((each) => record(...each.map((more) => entry('any', more)))),
          sealAudit(store),
          sealAudit(other),
        ]);
        recorded += transactions.flat().length;
        await sealAudit(store);
        expect(await verifyAudit(store)).toMatchObject({
          verified: recorded,
          unsealed: 0,
          fault: null,
        });
      }),
      { numRuns: 15 },
    );
  });

  test('of more rows than one batch is sealed and verified in full', async () => {
    await record(...Array.from({ length: 1_234 }, (_, i) => entry(String(i))));
    expect(await verifyAudit(store)).toMatchObject({ verified: 0, unsealed: 1_234, fault: null });
    await sealAudit(store);
    const chained = await store.query('SELECT subject FROM audit ORDER BY sequence');
    expect(chained.map(({ subject }) => Number(subject))).toEqual([...chained.keys()]);
    const { head, ...rest } = await verifyAudit(store);
    expect(rest).toEqual({ verified: 1_234, unsealed: 0, fault: null });
    expect(head).toMatchObject({ sequence: 1_234 });
  });

  test('that is empty is whole', async () => {
    expect(await verifyAudit(store)).toMatchObject({ verified: 0, unsealed: 0, fault: null });
  });
});

describe('tampering shows:', () => {
  const cases: [string, string, { kind: string; sequence: number } | null][] = [
    ['nothing done', 'SELECT 1', null],
    [
      'a text changed',
      `UPDATE audit SET actor = 'nobody' WHERE sequence = 3`,
      { kind: 'changed', sequence: 3 },
    ],
    [
      'a time changed',
      `UPDATE audit SET at = at + interval '1 ms' WHERE sequence = 3`,
      { kind: 'changed', sequence: 3 },
    ],
    [
      'a document added',
      `UPDATE audit SET detail = '{}' WHERE sequence = 1`,
      { kind: 'changed', sequence: 1 },
    ],
    [
      'a hash taken out',
      `UPDATE audit SET hash = NULL WHERE sequence = 4`,
      { kind: 'changed', sequence: 4 },
    ],
    ['a row deleted', `DELETE FROM audit WHERE sequence = 2`, { kind: 'missing', sequence: 2 }],
    [
      'the first row deleted',
      `DELETE FROM audit WHERE sequence = 1`,
      { kind: 'missing', sequence: 1 },
    ],
    [
      'the last row deleted',
      `DELETE FROM audit WHERE sequence = 5`,
      { kind: 'missing', sequence: 5 },
    ],
    ['all rows deleted', `DELETE FROM audit`, { kind: 'missing', sequence: 1 }],
    [
      'a row taken out of the chain',
      `UPDATE audit SET sequence = NULL WHERE sequence = 2`,
      { kind: 'missing', sequence: 2 },
    ],
    [
      'the chain closed over a gap',
      `WITH gone AS (DELETE FROM audit WHERE sequence = 2)
       UPDATE audit SET sequence = sequence - 1 WHERE sequence > 2`,
      { kind: 'reordered', sequence: 2 },
    ],
    [
      'two rows exchanged',
      `UPDATE audit SET sequence = 7 - sequence WHERE sequence IN (3, 4)`,
      { kind: 'reordered', sequence: 3 },
    ],
    [
      'a row put in behind the end',
      `INSERT INTO audit (id, at, actor, action, subject, sequence, previous_hash, hash)
       VALUES (gen_random_uuid(), now(), 'x', 'x', 'x', 6, (SELECT hash FROM audit_head), '\\x00')`,
      { kind: 'changed', sequence: 6 },
    ],
    [
      'the head moved back',
      `UPDATE audit_head SET sequence = 4, hash = (SELECT hash FROM audit WHERE sequence = 4)`,
      { kind: 'head', sequence: 5 },
    ],
    ['the head deleted', `DELETE FROM audit_head`, { kind: 'head', sequence: 5 }],
    ['the head changed', `UPDATE audit_head SET hash = '\\x00'`, { kind: 'head', sequence: 5 }],
  ];

  beforeEach(() => chainOf(5));

  test.each(cases)('%s', async (_, statement, fault) => {
    const undone = new Error('undone');
    const tampering = store.transaction(async (tx) => {
      // A unique sequence cannot be exchanged row by row.
      await tx.query('ALTER TABLE audit DROP CONSTRAINT audit_sequence_key');
      await tx.query(statement);
      expect((await verifyAudit(tx)).fault).toEqual(fault);
      throw undone;
    });
    await expect(tampering).rejects.toBe(undone);
  });
});
