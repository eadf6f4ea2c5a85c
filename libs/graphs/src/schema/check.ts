/** Checks a value against a schema and says what is wrong in words that name the field. */
import { deeperThan, isObject, pointer } from '../json.js';
import type { JsonObject } from '../graph.js';
import { hasType, typeOf, wordFor } from './json-types.js';
import type { Schema } from './schema.js';

export interface Fault {
  /** JSON pointer of the field. */
  path: string;
  message: string;
}

/** Deeper than any chart's values, shallower than what exhausts the stack of whoever walks them. */
const DEEPEST = 200;
/** Who sends more mistakes does not read them all. */
const MOST_FAULTS = 1000;

/** Every breach; of a `oneOf` those of the branch that was meant. What lies under a bad key is not looked at. */
export function check(schema: Schema, value: unknown): Fault[] {
  const checker = new Checker();
  checker.check(schema, value, '');
  return checker.faults;
}

class Checker {
  readonly faults: Fault[] = [];

  check(schema: Schema, value: unknown, path: string): void {
    if (this.faults.length >= MOST_FAULTS) return;
    if (schema.type !== undefined && !hasType(value, schema.type)) {
      this.add(path, `must be ${wordFor(schema.type)}, is ${wordFor(typeOf(value))}`);
    } else if (schema.oneOf) this.checkBranch(schema, value, path);
    else if (typeof value === 'string') this.checkText(schema, value, path);
    else if (typeof value === 'number') this.checkNumber(schema, value, path);
    else if (isFree(schema)) this.checkDepth(value, path);
    else if (Array.isArray(value)) this.checkItems(schema, value, path);
    else if (isObject(value)) this.checkObject(schema, value, path);
  }

  private add(path: string, message: string): void {
    this.faults.push({ path, message });
  }

  private checkText(schema: Schema, value: string, path: string): void {
    if (schema.enum && !schema.enum.includes(value)) {
      this.add(path, `must be ${listed(schema.enum)}`);
    }
    if (schema.pattern !== undefined && !compiled(schema.pattern).test(value)) {
      this.add(path, `must be ${schema.description ?? `like ${schema.pattern}`}`);
    }
  }

  private checkNumber({ minimum }: Schema, value: number, path: string): void {
    if (minimum !== undefined && value < minimum) this.add(path, `must be at least ${minimum}`);
  }

  private checkDepth(value: unknown, path: string): void {
    if (deeperThan(value, DEEPEST)) {
      this.add(path, `has lists or objects more than ${DEEPEST} deep in one another`);
    }
  }

  private checkItems({ items = {} }: Schema, value: unknown[], path: string): void {
    for (const [index, item] of value.entries()) this.check(items, item, pointer(path, index));
  }

  private checkObject(schema: Schema, value: JsonObject, path: string): void {
    for (const key of schema.required ?? []) {
      if (!Object.hasOwn(value, key)) this.add(pointer(path, key), 'is missing');
    }
    for (const key of Object.keys(value)) this.checkMember(schema, value, key, pointer(path, key));
  }

  private checkMember(schema: Schema, value: JsonObject, key: string, path: string): void {
    const names = schema.propertyNames;
    const known = schema.properties && Object.hasOwn(schema.properties, key);
    const rule = known ? schema.properties?.[key] : schema.additionalProperties;
    if (names?.pattern !== undefined && !compiled(names.pattern).test(key)) {
      this.add(path, `has a bad name: it must be ${names.description}`);
    } else if (rule === false) {
      const keys = Object.keys(schema.properties ?? {});
      this.add(path, `is unknown here; known are ${keys.join(', ')}`);
    } else if (rule) this.check(rule, value[key], path);
  }

  private checkBranch(schema: Schema, value: unknown, path: string): void {
    const { oneOf = [], discriminator } = schema;
    if (discriminator && isObject(value)) this.checkTagged(schema, value, path);
    else {
      const branch = oneOf.find(({ type }) => type && hasType(value, type));
      if (branch) this.check(branch, value, path);
      else {
        const types = oneOf.flatMap(({ type }) => (type ? [wordFor(type)] : []));
        this.add(path, `must be ${types.join(' or ')}`);
      }
    }
  }

  private checkTagged(schema: Schema, value: JsonObject, path: string): void {
    const { oneOf = [], discriminator } = schema;
    const tag = discriminator?.propertyName ?? '';
    const meant = Object.hasOwn(value, tag) ? value[tag] : undefined;
    const tagsOf = ({ properties }: Schema): readonly unknown[] => properties?.[tag]?.enum ?? [];
    const branch = oneOf.find((each) => tagsOf(each).includes(meant));
    if (branch) this.check(branch, value, path);
    else {
      const wanted = `must be ${listed(oneOf.flatMap(tagsOf).map(String))}`;
      this.add(pointer(path, tag), meant === undefined ? `is missing: it ${wanted}` : wanted);
    }
  }
}

/** Whatever an object or a list holds is welcome. */
function isFree({ properties, additionalProperties, items }: Schema): boolean {
  return !properties && additionalProperties === undefined && !items;
}

function listed(items: readonly string[]): string {
  return items.length > 1 ? `one of ${items.join(', ')}` : items.join('');
}

const patterns = new Map<string, RegExp>();

function compiled(pattern: string): RegExp {
  const known = patterns.get(pattern);
  if (known) return known;
  const made = new RegExp(pattern);
  patterns.set(pattern, made);
  return made;
}
