import { SchemaError, typeOf, type TableSchema } from '@glacis/shares';
import { z } from 'zod';
import type { Fields } from './fields.js';
import { isObject } from './json-body.js';

/** Columns of a table, and characters of a unit, at most. */
const [mostColumns, longestUnit] = [64, 64];

const namePattern = /^[A-Za-z_][A-Za-z0-9_ .-]{0,63}$/;
const reserved = new Set(['__proto__', 'constructor', 'prototype']);

const unit = z
  .string()
  .max(longestUnit)
  .regex(/^\P{Cc}*$/u);
const bound = z.union([z.number(), z.string()]);
const declaration = z.looseObject({
  type: z.enum(['INTEGER', 'BIGINT', 'DECIMAL', 'CATEGORY', 'VARCHAR', 'DATE']).optional(),
  unit: unit.optional(),
  min: bound.optional(),
  max: bound.optional(),
  scale: z.int().optional(),
  bits: z.union([z.literal(32), z.literal(64)]).optional(),
  categories: z.array(z.string()).optional(),
  length: z.int().optional(),
  dictionary: z.array(z.string()).optional(),
  unique: z.boolean().optional(),
  privacy_unit: z.boolean().optional(),
});

/** Where a table stands in the body. */
interface Place {
  member: 'schema' | 'tables';
  path: string;
}

/** The columns of one table (`jobs.md` 2.2, 11.3), as they were sent; faults are gathered with their paths. */
export function readColumns(fields: Fields, place: Place, value: unknown): TableSchema {
  const { member, path } = place;
  if (!isObject(value)) {
    fields.fault(member, 'not_an_object', 'expected an object of columns', path);
    return {};
  }
  const names = Object.keys(value);
  if (names.length === 0 || names.length > mostColumns)
    fields.fault(member, 'column_count', `expected 1 to ${mostColumns} columns`, path);
  checkNames(fields, place, names.slice(0, mostColumns));
  const columns = Object.entries(value).slice(0, mostColumns);
  for (const [name, column] of columns)
    checkColumn(fields, { member, path: `${path}.${name}` }, column);
  checkUnits(fields, place, value);
  return value as TableSchema;
}

/** Names of columns or of tables. */
export function checkNames(fields: Fields, { member, path }: Place, names: string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    const field = `${path}.${name}`;
    const lower = name.toLowerCase();
    if (!namePattern.test(name) || reserved.has(name))
      fields.fault(member, 'bad_name', 'not a name for a column or table', field);
    else if (seen.has(lower))
      fields.fault(member, 'duplicate_name', 'another name is equal but for case', field);
    seen.add(lower);
  }
}

function checkColumn(fields: Fields, { member, path }: Place, column: unknown): void {
  if (!isObject(column)) {
    if (unit.safeParse(column).success) return;
    const message = `expected a unit of up to ${longestUnit} characters, or an object`;
    return fields.fault(member, 'not_a_unit', message, path);
  }
  const { error } = declaration.safeParse(column);
  const [issue] = error?.issues ?? [];
  if (issue)
    return fields.fault(member, 'bad_column', issue.message, [path, ...issue.path].join('.'));
  try {
    typeOf(column);
  } catch (fault) {
    if (!(fault instanceof SchemaError)) throw fault;
    fields.fault(member, 'bad_column', fault.message, path);
  }
}

function checkUnits(
  fields: Fields,
  { member, path }: Place,
  columns: Record<string, unknown>,
): void {
  const units = Object.values(columns).filter(
    (column) => isObject(column) && column.privacy_unit === true,
  );
  if (units.length > 1)
    fields.fault(member, 'privacy_units', 'at most one column is a privacy_unit', path);
}
