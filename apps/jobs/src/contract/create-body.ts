import type { Schema } from '@glacis/shares';
import type { ProviderName, SentSchema } from '../jobs/job.entity.js';
import { UNNAMED_TABLE } from '../plan/tables.js';
import type { JobsSettings } from '../settings.js';
import { checkNames, readColumns } from './columns.js';
import { base64url, boundedText, FieldError, Fields, plainText, wholeNumber } from './fields.js';
import { isObject } from './json-body.js';

/** What `create_job` is asked for, checked (`jobs.md` 2.2). */
export interface CreateRequest {
  name: string;
  sql: string;
  level: 'semi' | 'mal';
  providers: ProviderName[];
  sent: SentSchema;
  /** By name; the one of `schema` is called `data`. */
  tables: Schema;
  minGroupSize: number;
  minOwners: number;
  maxSharePercent: number;
  deadlineSeconds: number;
  resultKey: string | null;
}

const required = ['analysis_name', 'query_sql', 'security_level', 'cloud_providers', 'schema'];
const providerNames = new Set(['aws', 'gcp', 'azure']);
const [longestName, longestQuery, mostProviders, mostTables] = [200, 16_384, 16, 2];

/**
 * Checks 8 and 9.
 * @param needsKey whether an absent `result_key` is a fault
 * @throws {ContractError}
 */
export function readCreate(
  body: Record<string, unknown>,
  { minGroupSize }: Pick<JobsSettings, 'minGroupSize'>,
  needsKey: boolean,
): CreateRequest {
  const fields = new Fields(body);
  fields.require(...required);
  const request = {
    name: fields.read('analysis_name', plainText(longestName), ''),
    sql: fields.read('query_sql', boundedText(longestQuery), ''),
    level: fields.read('security_level', levelOf, 'semi' as const),
    providers: fields.read('cloud_providers', providersOf, []),
    ...readTables(fields),
    minGroupSize: fields.read('min_group_size', wholeNumber(minGroupSize, 1000), minGroupSize),
    minOwners: fields.read('min_owners', wholeNumber(1, 16), 1),
    maxSharePercent: fields.read('max_share_percent', wholeNumber(1, 100), 100),
    deadlineSeconds: fields.read('deadline_seconds', wholeNumber(60, 86_400), 14_400),
    resultKey: fields.read('result_key', base64url(32, 'an X25519 public key'), null),
  };
  if (needsKey && fields.get('result_key') === undefined)
    fields.fault('result_key', 'result_key_required', 'the key that results are sealed to');
  fields.check();
  return request;
}

function levelOf(value: unknown): 'semi' | 'mal' {
  const level = typeof value === 'string' ? asciiLower(value) : '';
  if (level === 'semi' || level === 'mal') return level;
  throw new FieldError('not_a_level', 'expected semi or mal');
}

function providersOf(value: unknown): ProviderName[] {
  const names: unknown[] = Array.isArray(value) ? value : [];
  const lower = names.map((name) => (typeof name === 'string' ? asciiLower(name) : ''));
  const good = lower.length >= 1 && lower.length <= mostProviders;
  if (good && lower.every((name) => providerNames.has(name))) return lower as ProviderName[];
  throw new FieldError('not_providers', `expected 1 to ${mostProviders} of aws, gcp, azure`);
}

/** Other letters, such as the Kelvin sign, stay what they are. */
const asciiLower = (text: string): string =>
  text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());

function readTables(fields: Fields): { sent: SentSchema; tables: Schema } {
  const [schema, tables] = [fields.get('schema'), fields.get('tables')];
  const isEmpty = isObject(schema) && Object.keys(schema).length === 0;
  if (tables === undefined) {
    const columns = readColumns(fields, { member: 'schema', path: 'schema' }, schema);
    return { sent: { schema: columns }, tables: new Map([[UNNAMED_TABLE, columns]]) };
  }
  if (!isEmpty) fields.fault('schema', 'schema_and_tables', 'must be {} beside tables');
  const named = namedTables(fields, tables);
  return { sent: { schema: {}, tables: Object.fromEntries(named) }, tables: new Map(named) };
}

function namedTables(
  fields: Fields,
  value: unknown,
): (readonly [string, Schema extends ReadonlyMap<string, infer T> ? T : never])[] {
  const entries = isObject(value) ? Object.entries(value) : [];
  if (entries.length === 0 || entries.length > mostTables) {
    fields.fault('tables', 'table_count', `expected 1 to ${mostTables} tables`);
    return [];
  }
  checkNames(fields, { member: 'tables', path: 'tables' }, Object.keys(value as object));
  return entries.map(([name, columns]) => {
    const place = { member: 'tables', path: `tables.${name}` } as const;
    return [name, readColumns(fields, place, columns)] as const;
  });
}
