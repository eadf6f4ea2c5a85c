import fc from 'fast-check';
import { canonicalJson } from './canonical-json.js';
import {
  ChainCheck,
  emptyChain,
  seal,
  type AuditRecord,
  type ChainFault,
  type ChainHead,
  type SealedRecord,
} from './chain.js';

describe('canonical JSON', () => {
  test('writes what RFC 8785 3.2 shows', () => {
    const value = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 1e-27],
      string: '€$\u000f\nA\'B"\\\\"/',
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  test('orders members by UTF-16 code units, as RFC 8785 3.2.3 does', () => {
    const keys = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6'];
    const written = canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])));
    expect(Object.keys(JSON.parse(written))).toEqual([
      '1',
      '\r',
      '\u0080',
      '\u00f6',
      '\u20ac',
      '\u{1f600}',
      '\ufb33',
    ]);
  });

  test('does not depend on the order of members, and loses nothing', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const written = canonicalJson(value);
        expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(reversed(value))).toBe(written);
      }),
    );
  });

  test('different values give different text', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const same = canonicalJson(a) === canonicalJson(b);
        expect(same).toBe(canonicalJson(JSON.parse(JSON.stringify(a))) === canonicalJson(b));
        if (same) expect(JSON.parse(JSON.stringify(a))).toEqual(JSON.parse(JSON.stringify(b)));
      }),
    );
  });
});

describe('the chain', () => {
  test('is whole however the rows were sealed in batches', () => {
    fc.assert(
      fc.property(fc.array(records({ minLength: 0 }), { maxLength: 4 }), (batches) => {
        let head = emptyChain;
        const rows: SealedRecord[] = [];
        for (const batch of batches) {
          rows.push(...seal(head, batch));
          head = headOf(rows);
        }
        expect(check(rows, head)).toBeUndefined();
        expect(rows.map((row) => row.sequence)).toEqual(rows.map((_, i) => i + 1));
      }),
    );
  });

  test('shows the first changed row, whatever was changed', () => {
    const change = fc.oneof(
      fc.record({ actor: fc.constant('somebody else') }),
      fc.record({ tenant: fc.constant('other-tenant') }),
      fc.record({ action: fc.constant('other.action') }),
      fc.record({ subject: fc.constant('other-subject') }),
      fc.record({ request_id: fc.constant('other-request') }),
      fc.record({ at: fc.constant(new Date(0)) }),
      fc.record({ before: fc.constant({ changed: true }) }),
      fc.record({ after: fc.constant(['put', 'in']) }),
      fc.record({ detail: fc.constant({ more: 'told' }) }),
      fc.record({ hash: fc.constant(Buffer.alloc(32, 7)) }),
    );
    fc.assert(
      fc.property(chains, fc.nat(), change, (rows, index, changed) => {
        const at = index % rows.length;
        const tampered = rows.map((row, i) => (i === at ? { ...row, ...changed } : row));
        expect(check(tampered, headOf(rows))).toEqual({ kind: 'changed', sequence: at + 1 });
      }),
    );
  });

  test('shows the first missing row, also when the rows behind it are gone too', () => {
    fc.assert(
      fc.property(chains, fc.nat(), fc.integer({ min: 1, max: 40 }), (rows, index, count) => {
        const at = index % rows.length;
        const tampered = rows.toSpliced(at, count);
        expect(check(tampered, headOf(rows))).toEqual({ kind: 'missing', sequence: at + 1 });
      }),
    );
  });

  test('shows two rows that changed places', () => {
    fc.assert(
      fc.property(chains, fc.nat(), fc.nat(), (rows, first, second) => {
        const a = Math.min(first % rows.length, second % rows.length);
        const b = Math.max(first % rows.length, second % rows.length);
        fc.pre(a !== b);
        const places = new Map([
          [a, b],
          [b, a],
        ]);
        const moved = rows
          .map((row, i) => ({ ...row, sequence: (places.get(i) ?? i) + 1 }))
          .toSorted((x, y) => x.sequence - y.sequence);
        expect(check(moved, headOf(rows))).toEqual({ kind: 'reordered', sequence: a + 1 });
      }),
    );
  });

  test('shows a row put in behind the stored head', () => {
    fc.assert(
      fc.property(chains, records({ minLength: 1 }), (rows, more) => {
        const longer = [...rows, ...seal(headOf(rows), more)];
        expect(check(longer, headOf(rows))).toEqual({ kind: 'head', sequence: longer.length });
      }),
    );
  });

  test('shows a tail that was chained anew', () => {
    fc.assert(
      fc.property(chains, fc.nat(), (rows, index) => {
        const at = index % rows.length;
        const rewritten = rows.slice(at).map((row) => ({ ...row, actor: 'nobody' }));
        const forged = [...rows.slice(0, at), ...seal(headOf(rows.slice(0, at)), rewritten)];
        expect(check(forged, headOf(rows))).toEqual({ kind: 'head', sequence: rows.length });
      }),
    );
  });
});

function records(options: { minLength: number }): fc.Arbitrary<AuditRecord[]> {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 });
  const document = fc.option(fc.jsonValue({ maxDepth: 2 }), { nil: null });
  const record = fc.record({
    id: fc.uuid({ version: 7 }),
    at: fc.date({ noInvalidDate: true, min: new Date(1), max: new Date('2100-01-01') }),
    actor: text,
    tenant: fc.option(text),
    action: text,
    subject: text,
    request_id: fc.option(text),
    before: document,
    after: document,
    detail: document,
  });
  return fc.array(record, { ...options, maxLength: 8 });
}

const chains = records({ minLength: 1 }).map((rows) => seal(emptyChain, rows));

function headOf(rows: readonly SealedRecord[]): ChainHead {
  return rows.at(-1) ?? emptyChain;
}

function check(rows: readonly SealedRecord[], head: ChainHead): ChainFault | undefined {
  const checker = new ChainCheck();
  for (const row of rows) {
    const fault = checker.next(row);
    if (fault !== undefined) return fault;
  }
  return checker.finish(head);
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([name, member]) => [name, reversed(member)] as const);
  return Object.fromEntries(entries.toReversed());
}
