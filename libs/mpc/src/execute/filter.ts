import { canonical } from '../compile/canonical.js';
import type { Predicate } from '../compile/conditions.js';
import type { Value } from '../compile/values.js';
import { all, biased, equal, greater } from '../protocol/compare.js';
import { isOneOf, publicBits } from '../protocol/constants.js';
import { together, type Protocol } from '../protocol/link.js';
import type { Party } from '../protocol/party.js';
import { not, publicPlane, type Bits, type Plane } from '../protocol/shares.js';
import { bitsOf, type Leaves, type WantedBits } from './values.js';

type Compare = Predicate & { op: 'compare' };

/** Bits of a hashed text (11.3). */
const HASH_BITS = 64;

/** What conditions are made of. */
export interface Ground {
  party: Party;
  leaves: Leaves;
  hashes?: ReadonlyMap<string, bigint>;
}

/** The sides of all comparisons under a condition. */
export function sidesOf(node: Predicate): WantedBits[] {
  switch (node.op) {
    case 'always':
      return [];
    case 'not':
      return sidesOf(node.operand);
    case 'and':
    case 'or':
      return node.operands.flatMap(sidesOf);
    case 'compare':
      return [node.left, node.right].flatMap((value) =>
        value.op === 'constant' ? [] : [{ value, width: node.width }],
      );
    case 'in':
      return [{ value: node.operand, width: node.width }];
    default:
      return [{ value: node.operand, width: HASH_BITS }];
  }
}

const keyOf = ({ value, width }: WantedBits): string => canonical({ value, width });

/** Sides of comparisons by what they are; constants are made where they are met. */
class Sides {
  constructor(
    private readonly ground: Ground,
    private readonly made: ReadonlyMap<string, Bits>,
  ) {}

  of(value: Value, width: number): Bits {
    const { party, leaves } = this.ground;
    if (value.op === 'constant') return publicBits(party, value.value, leaves.count, width);
    const bits = this.made.get(keyOf({ value, width }));
    if (!bits) throw new Error('a side of a comparison was not made');
    return bits;
  }
}

function* compare(ground: Ground, node: Compare, sides: Sides): Protocol<Plane> {
  const { party } = ground;
  const pair = [node.left, node.right].map((value) => {
    const bits = sides.of(value, node.width);
    return node.signed ? biased(party, bits) : bits;
  });
  const [left, right] = pair;
  const turned = (plane: Plane): Plane => not(party, plane);
  switch (node.relation) {
    case '=':
      return (yield* equal(party, [[left, right]]))[0];
    case '<>':
      return turned((yield* equal(party, [[left, right]]))[0]);
    case '>':
      return yield* greater(party, left, right);
    case '<':
      return yield* greater(party, right, left);
    case '>=':
      return turned(yield* greater(party, right, left));
    default:
      return turned(yield* greater(party, left, right));
  }
}

function hashesOf({ hashes }: Ground, texts: readonly string[]): bigint[] {
  return texts.map((text) => {
    const hash = hashes?.get(text);
    if (hash === undefined) throw new Error('a text of the query was not encoded');
    return hash;
  });
}

function* junction(
  ground: Ground,
  node: Predicate & { op: 'and' | 'or' },
  sides: Sides,
): Protocol<Plane> {
  const { party } = ground;
  const parts = yield* together(...node.operands.map((part) => holds(ground, part, sides)));
  if (node.op === 'and') return (yield* all(party, [parts]))[0];
  const [none] = yield* all(party, [parts.map((plane) => not(party, plane))]);
  return not(party, none);
}

function* holds(ground: Ground, node: Predicate, sides: Sides): Protocol<Plane> {
  const { party, leaves } = ground;
  switch (node.op) {
    case 'always':
      return publicPlane(party, leaves.count, node.holds);
    case 'not':
      return not(party, yield* holds(ground, node.operand, sides));
    case 'and':
    case 'or':
      return yield* junction(ground, node, sides);
    case 'compare':
      return yield* compare(ground, node, sides);
    case 'in':
      return yield* isOneOf(party, sides.of(node.operand, node.width), node.values);
    default:
      return yield* isOneOf(party, sides.of(node.operand, HASH_BITS), hashesOf(ground, node.texts));
  }
}

/**
 * Where conditions hold (jobs.md 11.4, 11.9): what they compare is computed once, then all comparisons share their rounds, then
 * AND and OR.
 */
export function* conditions(ground: Ground, nodes: readonly Predicate[]): Protocol<Plane[]> {
  const wanted = new Map(nodes.flatMap(sidesOf).map((side) => [keyOf(side), side]));
  const bits = yield* bitsOf(ground.party, ground.leaves, [...wanted.values()]);
  const made = new Map([...wanted.keys()].map((key, index) => [key, bits[index]]));
  const sides = new Sides(ground, made);
  return yield* together(...nodes.map((node) => holds(ground, node, sides)));
}
