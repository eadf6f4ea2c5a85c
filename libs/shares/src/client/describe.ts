import type { ColumnDeclaration, TableSchema } from '../schema/schema.js';
import type { AllowedUses, OwnerPolicy, SignedLimits } from '../sign/policy.js';
import type { JobToRead, OwnerJob } from './job.js';

/** A part of what an owner reads, the same words in the shell and in the browser. */
export interface Section {
  title: string;
  lines: string[];
}

const EXECUTION: Readonly<Record<string, string>> = {
  local: 'Every party runs on the host of the service.',
  cloud: 'No party runs on the host of the service.',
  mixed: 'Some parties run on the host of the service.',
};
const ISOLATION: Readonly<Record<string, string>> = {
  nominal: 'One credential reaches the data of several parties.',
  process: 'Each party is a process of its own with a sealed bucket, on one host.',
  account: 'Each party has an account of its own at its provider.',
  tee: 'Each party runs in a verified confidential guest.',
};

function computed({ placement, execution, isolation }: OwnerJob): string[] {
  const parties = placement.map((place, party) => {
    return `${party} ${typeof place === 'string' ? place : place.provider}`;
  });
  const known = [EXECUTION[execution], ISOLATION[isolation]].filter(
    (sentence) => sentence !== undefined,
  );
  return [`Parties: ${parties.join(', ')}.`, ...known];
}

type Declared = Exclude<ColumnDeclaration, string>;

function valuesText({ type, min, max, scale, categories, dictionary }: Declared): string[] {
  return [
    scale ? `${scale} decimals` : '',
    min === undefined ? '' : `from ${min}`,
    max === undefined ? '' : `up to ${max}`,
    categories ? `one of ${categories.join(', ')}` : '',
    dictionary ? `one of ${dictionary.length} texts` : '',
    type === 'VARCHAR' && !dictionary ? 'as a keyed hash' : '',
  ];
}

function typeText(declaration: ColumnDeclaration): string {
  const declared = typeof declaration === 'string' ? { unit: declaration } : declaration;
  const { type = 'INTEGER', unit = '', unique, privacy_unit: person } = declared;
  const marks = [unique ? 'unique' : '', person ? 'identifies a person' : ''];
  return [type, unit, ...valuesText(declared), ...marks].filter(Boolean).join(', ');
}

const columnsText = (table: TableSchema): string[] =>
  Object.entries(table).map(([name, declaration]) => `${name}: ${typeText(declaration)}`);

function rulesText(limits: SignedLimits): string[] {
  const counted = limits.counted === 'unit' ? 'persons' : 'rows';
  const raw = limits.raw_rows !== 'none';
  return [
    ...(raw
      ? ['Single rows are shown to the analyst; every owner has to consent to that by signature.']
      : [`A group of fewer than ${limits.min_group_size} ${counted} is held back.`]),
    ...(limits.residual ? ['No owner can take its own rows from a group and learn the rest.'] : []),
    ...(limits.min_owners > 1 ? [`A group needs rows of ${limits.min_owners} owners.`] : []),
    ...(limits.max_share_percent < 100
      ? [`No owner has over ${limits.max_share_percent} percent of a group.`]
      : []),
  ];
}

const USES = {
  filter: 'in conditions',
  group: 'to form groups',
  join: 'to join tables',
  output: 'shown row by row',
} as const;

function usesText(uses: AllowedUses): string {
  const named = (Object.keys(USES) as (keyof typeof USES)[]).filter((use) => uses[use]);
  const aggregates = uses.aggregate?.length ? [`in ${uses.aggregate.join(', ')}`] : [];
  return [...named.map((use) => USES[use]), ...aggregates].join('; ') || 'nothing';
}

/** A policy in sentences. */
export function policyLines(policy: OwnerPolicy): string[] {
  const columns = Object.entries(policy.columns ?? {});
  const others = policy.default === 'allow' ? 'every use' : 'no use';
  const bounds = {
    'smallest group': policy.min_group_size,
    'owners in a group, at least': policy.min_owners,
    'columns multiplied, at most': policy.max_degree,
    'aggregates of a column, at most': policy.max_aggregates,
    'result rows, at most': policy.max_rows,
    'ends at': policy.expires,
  };
  return [
    ...columns.map(([name, uses]) => `${name}: ${usesText(uses)}`),
    `other columns: ${others}`,
    ...(policy.extremes ? ['MIN and MAX may be shown'] : []),
    ...Object.entries(bounds).flatMap(([text, bound]) =>
      bound === undefined ? [] : [`${text}: ${bound}`],
    ),
  ];
}

/** All that an owner should read before it shares. */
export function describeJob({ job, leakage }: JobToRead): Section[] {
  const tables = job.tables ? Object.entries(job.tables) : [['', job.schema ?? {}] as const];
  return [
    { title: 'Analysis', lines: [job.analysis_name] },
    { title: 'Query', lines: [...job.query_sql.split(/\r?\n/), job.query_hash] },
    ...tables.map(([name, table]) => {
      return { title: name ? `Columns of ${name}` : 'Columns', lines: columnsText(table) };
    }),
    { title: 'Computed by', lines: computed(job) },
    { title: 'Rules', lines: rulesText(job.limits) },
    { title: 'Who learns what', lines: leakage },
    ...Object.entries(job.policy_needed).map(([name, policy]) => {
      const title = job.tables ? `The query needs of ${name}` : 'The query needs';
      return { title, lines: policyLines(policy) };
    }),
  ];
}
