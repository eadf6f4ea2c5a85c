import type { JsonObject } from '../graph.js';
import { isObject, member } from '../json.js';
import { ANNOTATIONS } from '../marks.js';
import { V1BETA1, V1BETA2 } from '../resources.js';

/** v1beta1 has no `deploy`. */
const deployAnnotation = ANNOTATIONS.deploy;

/** Parts of a graph in any version, whatever their shape. */
interface Convertible {
  apiVersion?: unknown;
  metadata?: unknown;
  spec?: unknown;
}

/**
 * Another version of a graph (5.3). Server-side apply sends objects with parts of `spec`, or without one; where there is none,
 * only `apiVersion` changes.
 * @returns undefined when one of the versions is unknown
 */
export function convertGraph<T extends Convertible>(object: T, apiVersion: string): T | undefined {
  const { apiVersion: from } = object;
  if (from === V1BETA1 && apiVersion === V1BETA2) return { ...toV1beta2(object), apiVersion };
  if (from === V1BETA2 && apiVersion === V1BETA1) return { ...toV1beta1(object), apiVersion };
  return from === apiVersion && (from === V1BETA1 || from === V1BETA2) ? object : undefined;
}

function toV1beta2<T extends Convertible>(object: T): T {
  const { spec } = object;
  if (!isObject(spec)) return object;
  const own = typeof spec['deploy'] === 'boolean' ? spec['deploy'] : true;
  const deploy = annotationsOf(object)[deployAnnotation] === 'false' ? false : own;
  return { ...annotated(object, undefined), spec: { ...spec, deploy } };
}

function toV1beta1<T extends Convertible>(object: T): T {
  if (!isObject(object.spec)) return object;
  const { deploy, ...spec } = object.spec;
  return { ...annotated(object, deploy === false ? 'false' : undefined), spec };
}

/** With this annotation, or without it; an emptied list of annotations goes. */
function annotated<T extends Convertible>(object: T, value: string | undefined): T {
  const there = annotationsOf(object);
  if (there[deployAnnotation] === value) return object;
  const { [deployAnnotation]: _, ...others } = there;
  const annotations = value === undefined ? others : { ...others, [deployAnnotation]: value };
  const { annotations: __, ...metadata } = isObject(object.metadata) ? object.metadata : {};
  const kept = Object.keys(annotations).length > 0 ? { ...metadata, annotations } : metadata;
  return { ...object, metadata: kept };
}

function annotationsOf({ metadata }: Convertible): JsonObject {
  const annotations = member(metadata, 'annotations');
  return isObject(annotations) ? annotations : {};
}
