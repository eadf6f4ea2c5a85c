import fc from 'fast-check';
import {
  canonicalJson,
  exportOwnerKey,
  importOwnerKey,
  makeOwnerKey,
  missingUses,
  policyText,
  signPolicy,
  verifyPolicy,
  type Json,
  type OwnerPolicy,
  type PolicyDocument,
} from '../index.js';

describe('canonical JSON', () => {
  test('RFC 8785 3.2.2: the sample', () => {
    const sample = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };
    expect(canonicalJson(sample)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  test('RFC 8785 3.2.3: members by UTF-16 code units', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
    const text = canonicalJson(Object.fromEntries(names.map((name) => [name, 0])));
    expect(Object.keys(JSON.parse(text) as object)).toEqual([
      '1',
      '\r',
      '\u0080',
      '\u00f6',
      '\u20ac',
      '\ud83d\ude00',
      '\ufb33',
    ]);
  });

  test('RFC 8785 appendix B: numbers', () => {
    const numbers: [number, string][] = [
      [0, '0'],
      [-0, '0'],
      [Number.MIN_VALUE, '5e-324'],
      [Number.MAX_VALUE, '1.7976931348623157e+308'],
      [9007199254740992, '9007199254740992'],
      [1e21, '1e+21'],
      [999999999999999900000, '999999999999999900000'],
      [0.000001, '0.000001'],
      [1e-7, '1e-7'],
    ];
    for (const [number, text] of numbers) expect(canonicalJson(number)).toBe(text);
    for (const wrong of [NaN, Infinity, '\ud800', { '\udc00': 1 }])
      expect(() => canonicalJson(wrong)).toThrow(TypeError);
  });

  test('one text for one value, whatever the order of its members', () => {
    const shuffled = (value: Json): Json =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).toReversed())
        : value;
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (any) => {
        const value = JSON.parse(JSON.stringify(any)) as Json;
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(value);
        expect(canonicalJson(shuffled(value))).toBe(text);
      }),
    );
  });
});

const document: PolicyDocument = {
  consent_raw_rows: false,
  data_owner: 'a/b',
  issued_at: '2026-11-22T08:00:00.000Z',
  job_id: 'c0ffee',
  limits: {
    counted: 'rows',
    max_aggregates: 4,
    max_degree: 2,
    max_share_percent: 100,
    min_group_size: 5,
    min_owners: 1,
    raw_rows: 'none',
    residual: true,
  },
  policy: { default: 'deny', columns: { Age: { aggregate: ['AVG'] } } },
  query_hash: 'sha256:00',
  schema_hash: 'sha256:01',
  table: null,
};

describe('signed policies', () => {
  test('jobs.md 8.1: the signed text', () => {
    expect(policyText(document)).toBe(
      'glacis-owner-policy-1\n{"consent_raw_rows":false,"data_owner":"a/b","issued_at":"2026-11-22T08:00:00.000Z",' +
        '"job_id":"c0ffee","limits":{"counted":"rows","max_aggregates":4,"max_degree":2,"max_share_percent":100,' +
        '"min_group_size":5,"min_owners":1,"raw_rows":"none","residual":true},"policy":{"columns":{"Age":' +
        '{"aggregate":["AVG"]}},"default":"deny"},"query_hash":"sha256:00","schema_hash":"sha256:01","table":null}',
    );
  });

  test('jobs.md 13: another key, another query, a changed byte do not verify', async () => {
    const key = await importOwnerKey(await exportOwnerKey(await makeOwnerKey(true)));
    const other = await makeOwnerKey(false);
    const signature = await signPolicy(document, key);
    expect(await verifyPolicy(document, key.publicKey, signature)).toBe(true);
    expect(await verifyPolicy(document, other.publicKey, signature)).toBe(false);
    const wider = { ...document, policy: { default: 'allow' } } as const;
    const queried = { ...document, query_hash: 'sha256:02' };
    for (const changed of [wider, queried])
      expect(await verifyPolicy(changed, key.publicKey, signature)).toBe(false);
    const bent = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1);
    for (const wrong of [bent, '', 'x', `${signature}A`])
      expect(await verifyPolicy(document, key.publicKey, wrong)).toBe(false);
    expect(await verifyPolicy(document, 'AA', signature)).toBe(false);
    await expect(exportOwnerKey(other)).rejects.toThrow(/extractable/);
  });

  test('jobs.md 8.1: what a policy does not grant', () => {
    const needed: OwnerPolicy = {
      default: 'deny',
      columns: { Age: { filter: true, aggregate: ['AVG', 'MIN'] }, City: { group: true } },
      extremes: true,
    };
    expect(missingUses(needed, needed)).toEqual([]);
    expect(missingUses({ default: 'allow', extremes: true }, needed)).toEqual([]);
    expect(missingUses({ default: 'allow' }, needed)).toEqual([{ use: 'extremes' }]);
    const named: OwnerPolicy = {
      default: 'allow',
      extremes: true,
      columns: { Age: { aggregate: ['MIN'], output: true, filter: false } },
    };
    expect(missingUses(named, needed)).toEqual([
      { column: 'Age', use: 'filter' },
      { column: 'Age', use: 'AVG' },
    ]);
    expect(
      missingUses({ default: 'deny' }, { default: 'deny', columns: { x: { join: true } } }),
    ).toEqual([{ column: 'x', use: 'join' }]);
  });
});
