/** What a chart declares of itself by its annotation `petuum.com/rampartComponent` (graph-apps.md 3.3). */
import { parseDocument } from 'yaml';
import { EDGE_PARTS, type EdgePart } from '../graph.js';
import { ANNOTATIONS } from '../marks.js';
import { check } from '../schema/check.js';
import { DECLARATION_SCHEMA } from '../schema/declaration-schema.js';
import type { RuleCode } from '../verdict.js';

export interface Declaration {
  inputs: DeclaredEdge[];
  outputs: DeclaredEdge[];
  provides?: string[];
  requires?: string[];
}

export interface DeclaredEdge {
  /** A `*` at its end stands for any rest. */
  name: string;
  type: 'volume' | 'pulsar' | 'kafka';
  /** Of a volume; empty counts as absent. */
  mountPath?: string;
}

export interface ChartFault {
  code: RuleCode;
  message: string;
}

const NOTHING: Declaration = { inputs: [], outputs: [] };

/** Text of the annotation; absent and blank ones declare nothing. With faults the declaration is not to be used. */
export function readDeclaration(text = ''): { declaration: Declaration; faults: ChartFault[] } {
  if (text.trim() === '') return { declaration: NOTHING, faults: [] };
  const { value, fault } = parsed(text);
  const broken = fault === undefined ? check(DECLARATION_SCHEMA, value) : [];
  const faults = [
    ...(fault === undefined ? [] : [{ path: '', message: `is not YAML: ${fault}` }]),
    ...broken,
  ].map(({ path, message }) => ({ code: 'SPEC_SCHEMA' as const, message: about(path, message) }));
  if (faults.length > 0) return { declaration: NOTHING, faults };
  const declaration = value as Declaration;
  return { declaration, faults: [...specIoDup(declaration), ...specVariadicMount(declaration)] };
}

/** The first fault of YAML, if there is one; unknown tags, endless aliases and doubled keys are faults as well. */
function parsed(text: string): { value?: unknown; fault?: string } {
  try {
    const document = parseDocument(text, { merge: true, prettyErrors: false });
    const [fault] = [...document.errors, ...document.warnings];
    return fault ? { fault: fault.message } : { value: document.toJS() };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

export function* specIoDup(declaration: Declaration): Generator<ChartFault> {
  for (const part of EDGE_PARTS) {
    const seen = new Set<string>();
    for (const { name } of declaration[part]) {
      if (seen.has(name)) {
        yield { code: 'SPEC_IO_DUP', message: about(`/${part}`, `names ${name} twice`) };
      }
      seen.add(name);
    }
  }
}

export function* specVariadicMount(declaration: Declaration): Generator<ChartFault> {
  for (const part of EDGE_PARTS) {
    for (const { name, mountPath } of declaration[part]) {
      if (!name.endsWith('*') || !mountPath || mountPath.endsWith('*')) continue;
      const message = about(`/${part}`, `${name} must have a mountPath that ends in *`);
      yield { code: 'SPEC_VARIADIC_MOUNT', message };
    }
  }
}

function about(path: string, message: string): string {
  const place = path === '' ? '' : ` ${path}`;
  return `annotation ${ANNOTATIONS.chart}${place} ${message}`;
}

/** What the name of an edge was found to be. */
export interface DeclaredMatch {
  declared: DeclaredEdge;
  /** What `*` stands for; undefined for a name without one. */
  rest?: string;
}

/** The item of that very name, else the one with a `*` whose beginning is the longest that fits. */
export function declaredEdge(
  declaration: Declaration,
  part: EdgePart,
  name: string,
): DeclaredMatch | undefined {
  const items = declaration[part];
  const exact = items.find((item) => item.name === name);
  if (exact) return { declared: exact };
  const [longest] = items
    .filter((item) => item.name.endsWith('*') && name.startsWith(prefixOf(item)))
    .toSorted((a, b) => b.name.length - a.name.length);
  return longest && { declared: longest, rest: name.slice(prefixOf(longest).length) };
}

function prefixOf({ name }: DeclaredEdge): string {
  return name.slice(0, -1);
}
