import type { InputsReply, JobFacts, OwnerPolicyDocument, PolicyDocument } from '@glacis/contracts';
import { DEFAULTS } from '@glacis/mpc';
import { makeOwnerKey, signPolicy, type OwnerKey } from '@glacis/shares';
import { compileJob } from '../job/compiled-job.js';
import { checkPolicies } from './check-policies.js';
import { resultSlots, tooManySlots } from './result-slots.js';

const facts: JobFacts = {
  job_id: 'job',
  attempt: 1,
  parties: 3,
  query_sql: 'SELECT City, MIN(Age) FROM t WHERE Age > 3 GROUP BY City LIMIT 7',
  schema: { City: { type: 'CATEGORY', categories: ['Bergen', 'Oslo'] }, Age: 'years' },
  options: DEFAULTS,
  owners: [
    { owner: 'north', table: null },
    { owner: 'south', table: null },
  ],
  hashed: {},
  result_key: null,
};
const job = compileJob(facts);
const [north, south, stranger] = await Promise.all([
  makeOwnerKey(false),
  makeOwnerKey(false),
  makeOwnerKey(false),
]);
const now = new Date('2026-11-22T08:00:00Z');

const allowing: OwnerPolicyDocument = {
  default: 'deny',
  columns: { City: { group: true }, Age: { filter: true, aggregate: ['MIN'] } },
  extremes: true,
};
const document = (changes: Partial<PolicyDocument> = {}): PolicyDocument => ({
  consent_raw_rows: false,
  data_owner: 'north',
  issued_at: '2026-11-22T07:00:00Z',
  job_id: 'job',
  limits: job.compiled.plan.limits,
  policy: allowing,
  query_hash: job.queryHash,
  schema_hash: job.schemaHash,
  table: null,
  ...changes,
});
const limits = (changes: object): Partial<PolicyDocument> => ({
  limits: { ...job.compiled.plan.limits, ...changes },
});
const policy = (changes: OwnerPolicyDocument | object): Partial<PolicyDocument> => ({
  policy: { ...allowing, ...changes },
});

const signedBy = async (
  key: OwnerKey,
  signed: PolicyDocument,
): Promise<InputsReply['policies'][number]> => ({
  document: signed,
  owner_key: key.publicKey,
  signature: await signPolicy(signed, key),
});

const inputs = (...policies: InputsReply['policies']): InputsReply => ({
  files: [],
  policies,
  owner_keys: {},
});

const usesOf = async (given: InputsReply, of = job): Promise<string[]> =>
  (await checkPolicies(of, given, now)).map(({ code, owner, use, column }) => {
    expect(code).toBe('policy_violation');
    return [owner, use, column].filter(Boolean).join(' ');
  });

test('jobs.md 8.1: what is allowed is allowed, and without a policy all aggregates are', async () => {
  expect(await usesOf(inputs())).toEqual([]);
  expect(await usesOf(inputs(await signedBy(north, document())))).toEqual([]);
  const stricter = document(limits({ min_group_size: 4, residual: false, max_degree: 2 }));
  expect(await usesOf(inputs(await signedBy(north, stricter)))).toEqual([]);
  const later = document(policy({ expires: '2026-11-22T08:00:01Z' }));
  expect(await usesOf(inputs(await signedBy(north, later)))).toEqual([]);
});

test.each<[string, Partial<PolicyDocument>, string[]]>([
  ['another job', { job_id: 'other' }, ['north job_id']],
  ['another query', { query_hash: `sha256:${'0'.repeat(64)}` }, ['north query_hash']],
  ['another schema', { schema_hash: `sha256:${'0'.repeat(64)}` }, ['north schema_hash']],
  ['an owner who has no part', { data_owner: 'west' }, ['west owner']],
  ['a table that is not there', { table: 'visits' }, ['north owner']],
  ['a smaller floor than signed', limits({ min_group_size: 6 }), ['north min_group_size']],
  ['fewer owners than signed', limits({ min_owners: 2 }), ['north min_owners']],
  ['a larger share than signed', limits({ max_share_percent: 60 }), ['north max_share_percent']],
  ['a higher degree than signed', limits({ max_degree: 1 }), ['north max_degree']],
  ['more aggregates than signed', limits({ max_aggregates: 2 }), ['north max_aggregates']],
  ['units signed, rows counted', limits({ counted: 'unit' }), ['north counted']],
  ['other raw rows than signed', limits({ raw_rows: 'consent' }), ['north raw_rows']],
  ['a floor below the policy', policy({ min_group_size: 9 }), ['north min_group_size']],
  ['owners below the policy', policy({ min_owners: 2 }), ['north min_owners']],
  ['a degree over the policy', policy({ max_degree: 1 }), ['north max_degree']],
  ['aggregates over the policy', policy({ max_aggregates: 3 }), ['north max_aggregates']],
  ['extremes', policy({ extremes: false }), ['north extremes']],
  ['a policy that has expired', policy({ expires: '2026-11-22T08:00:00Z' }), ['north expires']],
  [
    'uses of columns',
    policy({ columns: { City: {}, Age: { filter: true } } }),
    ['north group City', 'north MIN Age'],
  ],
  [
    'columns that are denied by default',
    policy({ columns: {} }),
    ['north group City', 'north filter Age', 'north MIN Age'],
  ],
])('refused by the agent itself: %s', async (_name, changes, uses) => {
  expect(await usesOf(inputs(await signedBy(north, document(changes))))).toEqual(uses);
});

test('residual rule off where it was signed', async () => {
  const off = compileJob({ ...facts, options: { ...DEFAULTS, residual: false } });
  expect(await usesOf(inputs(await signedBy(north, document())), off)).toEqual(['north residual']);
});

describe('who has signed', () => {
  test('a forged signature, and a policy that was widened after it was signed', async () => {
    const forged = { ...(await signedBy(stranger, document())), owner_key: north.publicKey };
    expect(await usesOf(inputs(forged))).toEqual(['north signature']);
    const signed = await signedBy(north, document(policy({ default: 'deny', columns: {} })));
    const widened = { ...signed, document: document() };
    expect(await usesOf(inputs(widened))).toEqual(['north signature']);
  });

  test('a key that is not the bound one, and two keys of one owner', async () => {
    const foreign = await signedBy(stranger, document());
    const bound = { ...inputs(foreign), owner_keys: { north: north.publicKey } };
    expect(await usesOf(bound)).toEqual(['north owner_key']);
    const two = inputs(await signedBy(north, document()), foreign);
    expect(await usesOf(two)).toEqual(['north owner_key', 'north document']);
    const other = inputs(await signedBy(south, document({ data_owner: 'south' })));
    expect(await usesOf(other)).toEqual([]);
  });
});

describe('raw rows', () => {
  const raw = compileJob({ ...facts, query_sql: 'SELECT Age FROM t' });
  const rawDocument = (changes: Partial<PolicyDocument>): PolicyDocument =>
    document({
      limits: raw.compiled.plan.limits,
      query_hash: raw.queryHash,
      policy: { default: 'allow' },
      ...changes,
    });

  test('need the signed consent of every owner', async () => {
    const consenting = await signedBy(north, rawDocument({ consent_raw_rows: true }));
    expect(await usesOf(inputs(consenting), raw)).toEqual(['south consent_raw_rows']);
    const both = [
      consenting,
      await signedBy(south, rawDocument({ data_owner: 'south', consent_raw_rows: true })),
    ];
    expect(await usesOf(inputs(...both), raw)).toEqual([]);
    const silent = await signedBy(south, rawDocument({ data_owner: 'south' }));
    expect(await usesOf(inputs(consenting, silent), raw)).toEqual(['south consent_raw_rows']);
  });

  test('a consent that nobody signed for counts for nothing', async () => {
    const unsigned = {
      ...(await signedBy(south, rawDocument({ data_owner: 'south' }))),
      document: rawDocument({ data_owner: 'south', consent_raw_rows: true }),
    };
    const consenting = await signedBy(north, rawDocument({ consent_raw_rows: true }));
    expect(await usesOf(inputs(consenting, unsigned), raw)).toEqual(['south signature']);
  });
});

test('jobs.md 8.1: slots of the result against max_rows', async () => {
  const { plan } = job.compiled;
  expect(resultSlots(plan, [100])).toBe(2);
  expect(resultSlots(plan, [1])).toBe(1);
  const of = (sql: string): number =>
    resultSlots(compileJob({ ...facts, query_sql: sql }).compiled.plan, [100]);
  expect(of('SELECT COUNT(*) FROM t')).toBe(1);
  expect(of('SELECT Age FROM t')).toBe(100);
  expect(of('SELECT Age FROM t LIMIT 9')).toBe(9);
  expect(of('SELECT Age, COUNT(*) FROM t GROUP BY Age')).toBe(100);
  const signed = await signedBy(north, document(policy({ max_rows: 2 })));
  expect(tooManySlots([signed], 2)).toEqual([]);
  expect(tooManySlots([signed], 3)).toMatchObject([{ owner: 'north', use: 'max_rows' }]);
});
