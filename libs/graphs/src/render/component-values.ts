import type { JsonObject } from '../graph.js';
import { urlPrefix } from '../names.js';
import { edgesOf, resourceOf, type Part } from './edges.js';
import { componentOf } from './places.js';
import type { RenderSubject } from './subject.js';

/** Values of the release `component` (4.5): those of the user, and what the graph says, under two names. */
export function componentValues(subject: RenderSubject, name: string): JsonObject {
  const component = componentOf(subject, name);
  const edges = edgesOf(name, component);
  const resources = (part: Part): JsonObject =>
    Object.fromEntries(
      edges
        .filter((placed) => placed.part === part)
        .map((placed) => [placed.name, resourceOf(subject, placed)]),
    );
  const rampart = {
    inputs: resources('input'),
    outputs: resources('output'),
    graphName: subject.graph.name,
    namespace: subject.graph.namespace,
    registry: subject.settings.registry,
    URLPrefix: urlPrefix(subject.graph, name),
  };
  return mergeValues(component.config, { rampart, global: { rampart } });
}

/** Values of the release `auth-aux`: those of the user alone. */
export function auxValues(subject: RenderSubject, name: string): JsonObject {
  return componentOf(subject, name).auxConfig ?? {};
}

/** `from` over `into`: objects key by key; anything else, lists among it, is replaced. */
export function mergeValues(into: JsonObject, from: JsonObject): JsonObject {
  const merged = new Map(Object.entries(into));
  for (const [key, value] of Object.entries(from)) {
    const there = merged.get(key);
    merged.set(key, isObject(there) && isObject(value) ? mergeValues(there, value) : value);
  }
  // Makes own members of all names, `__proto__` among them.
  return Object.fromEntries(merged);
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
