import type { JsonObject } from '../graph.js';
import { isObject, member } from '../json.js';
import type { PresetSpec } from '../resources.js';
import { merge } from './merge.js';

export const GPU = 'nvidia.com/gpu';

/** What the mutation depends on beside pod and preset. */
export interface PodFacts {
  /** Whether any node has capacity `nvidia.com/gpu`. */
  gpuNodes: boolean;
}

/** A pod with its preset (5.4): containers, then init containers, then the rest of its `spec`. */
export function mutatePod<Pod extends { spec?: unknown }>(
  pod: Pod,
  preset: PresetSpec,
  facts: PodFacts,
): Pod {
  const { containerTemplate, podTemplate } = preset;
  const template = { container: containerTemplate ?? {}, pod: podTemplate ?? {}, facts };
  const spec = isObject(pod.spec) ? pod.spec : {};
  const lists = ['containers', 'initContainers'].filter((kind) => Array.isArray(spec[kind]));
  const mutated = lists.map((kind) => [kind, withTemplate(kind, spec, template)]);
  return { ...pod, spec: merge({ ...spec, ...Object.fromEntries(mutated) }, template.pod) };
}

interface Templates {
  container: JsonObject;
  pod: JsonObject;
  facts: PodFacts;
}

/** Containers that come from the preset itself get no template. */
function withTemplate(
  kind: string,
  spec: JsonObject,
  { container, pod, facts }: Templates,
): unknown {
  const own = new Set(namesIn(pod[kind]));
  return (spec[kind] as unknown[]).map((each) =>
    isObject(each) && !own.has(each['name'])
      ? merge(each, facts.gpuNodes ? withoutGpu(each, container) : container)
      : each,
  );
}

const namesIn = (containers: unknown): unknown[] =>
  Array.isArray(containers) ? containers.filter(isObject).map(({ name }) => name) : [];

/** Images of CUDA see every device of a node unless the container is limited to none. */
function withoutGpu(container: JsonObject, template: JsonObject): JsonObject {
  if (GPU in limitsOf(container) || GPU in limitsOf(template)) return template;
  const resources = isObject(template['resources']) ? template['resources'] : {};
  const limits = { ...limitsOf(template), [GPU]: 0 };
  return { ...template, resources: { ...resources, limits } };
}

function limitsOf({ resources }: JsonObject): JsonObject {
  const limits = member(resources, 'limits');
  return isObject(limits) ? limits : {};
}

/** Names of the claims that pods get by a preset. */
export function claimsOf({ podTemplate }: PresetSpec): string[] {
  const volumes = podTemplate?.['volumes'];
  if (!Array.isArray(volumes)) return [];
  return volumes.flatMap((volume) => {
    const name = member(member(volume, 'persistentVolumeClaim'), 'claimName');
    return typeof name === 'string' ? [name] : [];
  });
}
