// Shapes of pods and reviews for which the contract asks for another answer than Rampart gave.
import { isDeepStrictEqual } from 'node:util';
import { V1, V2 } from './references.mjs';

const containersOf = (spec) => [...(spec.containers ?? []), ...(spec.initContainers ?? [])];

/** Parts of the pod with the template that is merged into each. */
function parts({ podSpec, preset }) {
  const template = preset.containerTemplate ?? {};
  const containers = containersOf(podSpec).map((part) => [part, template]);
  return [...containers, [podSpec, preset.podTemplate ?? {}]];
}

function someKey(input, test) {
  return parts(input).some(([part, template]) =>
    Object.entries(template).some(([key, value]) => test(part[key], value, key)),
  );
}

const objectsOf = ({ request }) => request.request.objects;
const target = ({ request }) => request.request.desiredAPIVersion;
const unknown = (version) => ![V1, V2].includes(version);

export const answerShapes = {
  'a list that both pod and preset have': (input) =>
    someKey(input, (there, value) => Array.isArray(there) && Array.isArray(value)),
  'a null in pod or preset': (input) =>
    JSON.stringify([input.podSpec, input.preset]).includes(':null'),
  'a key with a slash or a tilde': (input) =>
    someKey(input, (_, value, key) =>
      [key, ...Object.keys(value ?? {})].some((name) => /[~/]/.test(name)),
    ),
  'limits of a container on a cluster with GPUs': ({ podSpec, clusterHasNvidiaNode }) =>
    clusterHasNvidiaNode && containersOf(podSpec).some(({ resources }) => resources?.limits),
  'limits or requests in both': (input) =>
    someKey(input, (there, value, key) => key === 'resources' && there && value),
  'an init container of the preset': ({ podSpec, preset }) =>
    Boolean(podSpec.initContainers && preset.podTemplate?.initContainers),
  'v1beta1 into v1beta2': (input) =>
    target(input) === V2 && objectsOf(input).some(({ apiVersion }) => apiVersion === V1),
  'v1beta2 into v1beta1': (input) =>
    target(input) === V1 && objectsOf(input).some(({ apiVersion }) => apiVersion === V2),
  'an unknown version': (input) =>
    unknown(target(input)) || objectsOf(input).some(({ apiVersion }) => unknown(apiVersion)),
  'an update that keeps the graph': ({ request: { request } }) =>
    request.operation === 'UPDATE' &&
    isDeepStrictEqual(request.object?.spec?.graph, request.oldObject?.spec?.graph),
};
