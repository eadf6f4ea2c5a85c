import type { Join } from '../sql/syntax.js';
import type { PlanJoin } from './plan.js';
import { refuse, type Scope, type ScopeColumn } from './scope.js';
import { union, widthOf } from './types.js';

type Pair = [ScopeColumn, ScopeColumn];

const labelsOf = ({ type }: ScopeColumn): string => JSON.stringify(type.labels ?? null);

const joinable = ([a, b]: Pair): boolean =>
  a.type.kind === b.type.kind && a.type.scale === b.type.scale && labelsOf(a) === labelsOf(b);

/** The columns of one equation, that of the first table first. */
function pairOf(scope: Scope, [left, right]: Join['on'][number]): Pair {
  const columns: Pair = [scope.resolve(left), scope.resolve(right)];
  if (columns[0].table === columns[1].table)
    refuse('join_no_unique_key', 'a join compares columns of both tables', left.at);
  const pair: Pair = columns[0].table === 0 ? columns : [columns[1], columns[0]];
  if (!joinable(pair)) refuse('type_mismatch', 'columns of these types are not joined', left.at);
  return pair;
}

/** How the tables are joined: one side must declare a column of the key as unique, the first one has precedence. */
export function joinOf(scope: Scope, join: Join): PlanJoin {
  const pairs = join.on.map((equation) => pairOf(scope, equation));
  const unique = ([0, 1] as const).find((side) => pairs.some((pair) => pair[side].unique));
  if (unique === undefined)
    return refuse('join_no_unique_key', 'no column of the join is declared unique', join.at);
  const keys = pairs.map((pair) => {
    const range = union(pair[0].type, pair[1].type);
    const hash = pair[0].type.kind === 'hash';
    return {
      unique: pair[unique].index,
      other: pair[1 - unique].index,
      width: widthOf(range),
      signed: range.min < 0n && !hash,
    };
  });
  return { unique, keys };
}
