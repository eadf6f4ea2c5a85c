import { UsageError } from '../client.js';
import { isMap, readYaml, type JsonMap } from './sources.js';

/** A flag `--values`: for every component, or for the one that it names. */
export interface ValuesFlag {
  component?: string;
  /** File or URL. */
  source: string;
}

/** `<file>`, `<url>` or `<component>=<file|url>`; a component's name has no slash and no dot, so most files are told apart. */
export function valuesFlag(text: string): ValuesFlag {
  const [, component, source] = /^([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)=(.+)$/s.exec(text) ?? [];
  return source === undefined ? { source: text } : { component, source };
}

/**
 * The graph with the values of all flags merged into `config`, the later over the earlier.
 * @throws {UsageError} naming the flag for a component that is not there, or values that are no map
 */
export async function withValues(graph: unknown, flags: string[]): Promise<unknown> {
  let merged = graph;
  for (const text of flags) {
    const flag = valuesFlag(text);
    const values = await readYaml(flag.source);
    if (!isMap(values)) throw new UsageError(`--values ${text}: expected a map of values`);
    merged = mergedInto(merged, flag, values);
  }
  return merged;
}

/** @throws {UsageError} when the graph has no such component */
export function mergedInto(graph: unknown, { component }: ValuesFlag, values: JsonMap): unknown {
  const components = isMap(graph) && isMap(graph['components']) ? graph['components'] : {};
  if (component !== undefined && !Object.hasOwn(components, component)) {
    throw new UsageError(`--values: the graph has no component '${component}'`);
  }
  const changed = Object.entries(components).map(([name, each]) => {
    const meant = component === undefined || component === name;
    return [name, meant && isMap(each) ? { ...each, config: merge(each['config'], values) } : each];
  });
  return { ...(graph as JsonMap), components: Object.fromEntries(changed) };
}

/** Maps merge key by key; anything else is replaced. */
export function merge(below: unknown, above: unknown): unknown {
  if (!isMap(below) || !isMap(above)) return above;
  const keys = new Set([...Object.keys(below), ...Object.keys(above)]);
  const entries = [...keys].map((key) => {
    if (!Object.hasOwn(above, key)) return [key, below[key]];
    return [key, Object.hasOwn(below, key) ? merge(below[key], above[key]) : above[key]];
  });
  return Object.fromEntries(entries);
}
