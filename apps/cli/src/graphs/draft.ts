import { convertGraph, V1BETA2, type GraphSpec, type RampartGraph } from '@glacis/graphs';
import type { Draft } from '@glacis/kube';
import { UsageError } from '../client.js';
import { isMap, readYaml, type JsonMap } from './sources.js';
import { withValues } from './values.js';

export interface FileFlags {
  filename?: string;
  namespace?: string;
  values: string[];
}

/**
 * The graph of a file, with the values of the flags. What its `spec` holds is left to the API server to judge.
 * @throws {UsageError} when it is no graph, or lies in another namespace than was named
 */
export async function draftOf(
  filename: string,
  { namespace, values }: FileFlags,
): Promise<Draft<RampartGraph>> {
  const object = graphIn(filename, await readYaml(filename));
  const metadata = isMap(object['metadata']) ? object['metadata'] : {};
  const { name, namespace: own = namespace ?? 'default' } = metadata;
  if (typeof name !== 'string') throw new UsageError(`${filename}: metadata.name is missing`);
  if (typeof own !== 'string') throw new UsageError(`${filename}: metadata.namespace is no text`);
  if (namespace !== undefined && own !== namespace) {
    throw new UsageError(
      `${filename}: its namespace '${own}' is not '${namespace}' of --namespace`,
    );
  }
  return {
    metadata: { ...metadata, name, namespace: own },
    spec: await specWith(object['spec'], values),
  };
}

/** `spec` with the values of the flags in its graph. */
export async function specWith(spec: unknown, values: string[]): Promise<GraphSpec> {
  if (values.length === 0 || !isMap(spec)) return spec as GraphSpec;
  return { ...spec, graph: await withValues(spec['graph'], values) } as unknown as GraphSpec;
}

function graphIn(filename: string, object: unknown): JsonMap {
  const graph = isMap(object) && object['kind'] === 'RampartGraph' ? object : undefined;
  const converted = graph && convertGraph(graph, V1BETA2);
  if (converted) return converted;
  throw new UsageError(`${filename}: expected kind RampartGraph of rampart.petuum.com/v1beta2`);
}
