// What the contract makes of a recorded answer where it replaces Rampart's behaviour: the corrected record is then
// compared in full.
import { isDeepStrictEqual } from 'node:util';

const GPU = 'nvidia.com/gpu';
const V1 = 'rampart.petuum.com/v1beta1';
const V2 = 'rampart.petuum.com/v1beta2';
const OFF = 'glacis.dev/deploy';

const containersOf = (spec) => [...(spec.containers ?? []), ...(spec.initContainers ?? [])];

/** Pairs of a part of the pod as it was and the template that was merged into it. */
function parts(podSpec, { containerTemplate, podTemplate }) {
  const containers = containersOf(podSpec).map((part) => [part, containerTemplate ?? {}]);
  return [...containers, [podSpec, podTemplate ?? {}]];
}

function lists([part, template]) {
  return Object.keys(template).filter(
    (key) => Array.isArray(template[key]) && Array.isArray(part[key]),
  );
}

/** Applies `change(list as recorded, list before, list of the preset, key)` to every merged list. */
function eachList(result, { podSpec, preset }, change) {
  const merged = parts(result, preset);
  for (const [at, pair] of parts(podSpec, preset).entries()) {
    for (const key of lists(pair)) {
      const recorded = merged[at][0];
      recorded[key] = change(recorded[key], pair[0][key], pair[1][key], key);
    }
  }
  return result;
}

const hasLists = ({ podSpec, preset }) =>
  parts(podSpec, preset).some((pair) => lists(pair).length > 0);

const objectsOf = ({ request }) => request.request.objects;
const desired = ({ request }) => request.request.desiredAPIVersion;

function failed(recorded, input) {
  const { apiVersion, kind, request } = input.request;
  const result = { status: 'Failed', message: '<text>' };
  return {
    httpStatus: 200,
    response: { apiVersion, kind, response: { uid: request.uid, result } },
  };
}

export const corrections = {
  'a list that both pod and preset have': {
    fits: hasLists,
    correct: (result, input) =>
      eachList(result, input, (recorded, before) => {
        const inserted = recorded.slice(0, recorded.length - before.length);
        return [...inserted.toReversed(), ...recorded.slice(inserted.length)];
      }),
  },
  'a variable that the container sets itself': {
    fits: hasLists,
    correct: (result, input) =>
      eachList(result, input, (recorded, before, _, key) =>
        key === 'env'
          ? recorded.filter(
              (item, at) =>
                at >= recorded.length - before.length ||
                before.every(({ name }) => name !== item.name),
            )
          : recorded,
      ),
  },
  'limits of a container on a cluster with GPUs': {
    fits: ({ podSpec, clusterHasNvidiaNode }) =>
      clusterHasNvidiaNode && containersOf(podSpec).some(({ resources }) => resources?.limits),
    correct: (result, { podSpec }) => {
      for (const [at, { resources }] of containersOf(podSpec).entries()) {
        const merged = containersOf(result)[at];
        if (resources?.limits && !(GPU in resources.limits)) {
          merged.resources = {
            ...merged.resources,
            limits: { ...resources.limits, ...merged.resources.limits },
          };
        }
      }
      return result;
    },
  },
  'v1beta1 with a deploy of its own or the annotation': {
    fits: (input) =>
      desired(input) === V2 && objectsOf(input).some(({ apiVersion }) => apiVersion === V1),
    correct: (recorded, input) => {
      for (const [at, { apiVersion, spec, metadata }] of objectsOf(input).entries()) {
        const object = recorded.response.response.convertedObjects[at];
        if (apiVersion !== V1 || !spec) continue;
        const own = typeof spec.deploy === 'boolean' ? spec.deploy : true;
        object.spec.deploy = metadata.annotations?.[OFF] === 'false' ? false : own;
        withAnnotation(object, undefined);
      }
      return recorded;
    },
  },
  'v1beta2 that is not to be deployed': {
    fits: (input) =>
      desired(input) === V1 && objectsOf(input).some(({ apiVersion }) => apiVersion === V2),
    correct: (recorded, input) => {
      for (const [at, { apiVersion, spec }] of objectsOf(input).entries()) {
        if (apiVersion !== V2 || !spec) continue;
        withAnnotation(
          recorded.response.response.convertedObjects[at],
          spec.deploy === false ? 'false' : undefined,
        );
      }
      return recorded;
    },
  },
  'an unknown version': {
    fits: (input) =>
      ![V1, V2].includes(desired(input))
        ? objectsOf(input).length > 0
        : objectsOf(input).some(({ apiVersion }) => ![V1, V2].includes(apiVersion)),
    correct: failed,
  },
  'a refusal': {
    correct: (_, { request: { apiVersion, kind, request } }) => {
      const response = { uid: request.uid, allowed: false, status: refusal(request) };
      return { httpStatus: 200, response: { apiVersion, kind, response } };
    },
  },
  'an update that keeps the graph': {
    fits: ({ request: { request } }) =>
      request.operation === 'UPDATE' &&
      isDeepStrictEqual(request.object?.spec?.graph, request.oldObject?.spec?.graph),
    correct: (_, { request: { apiVersion, kind, request } }) => {
      const response = { uid: request.uid, allowed: true };
      return { httpStatus: 200, response: { apiVersion, kind, response } };
    },
  },
};

function refusal({ namespace }) {
  if (!namespace) return { code: 403, reason: 'Invalid graph', message: 'No namespace found' };
  return { code: 403, reason: 'Invalid: <text>', message: '<text>' };
}

function withAnnotation({ metadata }, value) {
  const annotations = { ...metadata.annotations, [OFF]: value };
  if (value === undefined) delete annotations[OFF];
  metadata.annotations = annotations;
  if (Object.keys(annotations).length === 0) delete metadata.annotations;
}
