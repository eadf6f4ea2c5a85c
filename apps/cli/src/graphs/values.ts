import { mergeValues } from '@glacis/graphs';
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
function mergedInto(graph: unknown, { component }: ValuesFlag, values: JsonMap): unknown {
  const components = isMap(graph) && isMap(graph['components']) ? graph['components'] : {};
  if (component !== undefined && !Object.hasOwn(components, component)) {
    throw new UsageError(`--values: the graph has no component '${component}'`);
  }
  const changed = Object.entries(components).map(([name, each]) => {
    const meant = component === undefined || component === name;
    if (!meant || !isMap(each)) return [name, each];
    const config = isMap(each['config']) ? each['config'] : {};
    return [name, { ...each, config: mergeValues(config, values) }];
  });
  return { ...(graph as JsonMap), components: Object.fromEntries(changed) };
}
