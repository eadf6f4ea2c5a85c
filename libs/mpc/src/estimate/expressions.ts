import { canonical } from '../compile/canonical.js';
import type { Predicate } from '../compile/conditions.js';
import type { Source, Value } from '../compile/values.js';
import { sidesOf } from '../execute/filter.js';
import { inner, isLeaf, leavesOf, type Ring } from '../execute/values.js';
import {
  all,
  beside,
  equal,
  greater,
  isOneOf,
  lift,
  NOTHING,
  product,
  series,
  toBits,
  toWords,
  type Cost,
} from './cost.js';

/** In which forms a leaf is there. */
export interface LeafForms {
  bits: boolean;
  words?: Ring;
}

/** Rows, or result slots, and what their leaves stand for. */
export interface Ground {
  rows: number;
  leaf(source: Source): LeafForms;
}

function leafCost(ground: Ground, value: Value & Source, ring: Ring): Cost {
  const { rows } = ground;
  const { words } = ground.leaf(value);
  if (words === undefined) return toWords(ring, rows);
  return ring === 64 && words === 32 ? lift(rows) : NOTHING;
}

/** Of a value whose leaves are there in the rings in which it takes them. */
function nodeCost(ground: Ground, value: Value, ring: Ring): Cost {
  if (isLeaf(value) || value.op === 'constant' || value.op === 'text') return NOTHING;
  const own = inner(value, ring);
  const lifted = own === ring ? NOTHING : lift(ground.rows);
  if (value.op === 'negate') return series(nodeCost(ground, value.operand, own), lifted);
  const { left, right } = value;
  const sides = beside(nodeCost(ground, left, own), nodeCost(ground, right, own));
  const multiplied = value.op === 'multiply' && left.op !== 'constant' && right.op !== 'constant';
  return series(sides, multiplied ? product(own, ground.rows) : NOTHING, lifted);
}

const distinct = <T>(list: readonly T[]): T[] => [
  ...new Map(list.map((each) => [canonical(each), each])).values(),
];

/** Values in words (`wordsOf`). */
export function wordsCost(ground: Ground, wanted: readonly { value: Value; ring: Ring }[]): Cost {
  const leaves = distinct(wanted.flatMap(({ value, ring }) => leavesOf(value, ring)));
  return series(
    beside(...leaves.map(([value, ring]) => leafCost(ground, value, ring))),
    beside(...wanted.map(({ value, ring }) => nodeCost(ground, value, ring))),
  );
}

/** Values in bits (`bitsOf`). */
export function bitsCost(ground: Ground, wanted: readonly { value: Value; width: number }[]): Cost {
  const computed = wanted.filter(
    ({ value }) => value.op !== 'constant' && !(isLeaf(value) && ground.leaf(value).bits),
  );
  return series(
    wordsCost(
      ground,
      computed.map(({ value, width }) => ({ value, ring: width > 32 ? 64 : 32 })),
    ),
    beside(...computed.map(({ width }) => toBits(width, ground.rows))),
  );
}

function holdsCost(rows: number, node: Predicate): Cost {
  switch (node.op) {
    case 'always':
      return NOTHING;
    case 'not':
      return holdsCost(rows, node.operand);
    case 'and':
    case 'or':
      return series(
        beside(...node.operands.map((part) => holdsCost(rows, part))),
        all(node.operands.length, rows),
      );
    case 'compare':
      return ['=', '<>'].includes(node.relation)
        ? equal(node.width, rows)
        : greater(node.width, rows);
    case 'in':
      return isOneOf(node.width, node.values.length, rows);
    default:
      return isOneOf(64, node.texts.length, rows);
  }
}

/** Conditions (`conditions`). */
export const conditionsCost = (ground: Ground, nodes: readonly Predicate[]): Cost =>
  series(
    bitsCost(ground, distinct(nodes.flatMap(sidesOf))),
    beside(...nodes.map((node) => holdsCost(ground.rows, node))),
  );
