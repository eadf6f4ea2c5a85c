// What the contract makes of an input, written from its text (5.2 to 5.4) apart from the library.
export const V1 = 'rampart.petuum.com/v1beta1';
export const V2 = 'rampart.petuum.com/v1beta2';
export const OFF = 'glacis.dev/deploy';
export const GPU = 'nvidia.com/gpu';

export const references = { merge: pod, conversion, admission };

function pod({ podSpec, preset, clusterHasNvidiaNode }) {
  const container = preset.containerTemplate ?? {};
  const template = preset.podTemplate ?? {};
  const own = (template.initContainers ?? []).map(({ name }) => name);
  const each = (one) =>
    merged(
      one,
      clusterHasNvidiaNode && !asksGpu(one, container) ? withoutGpu(container) : container,
    );
  const result = { ...podSpec };
  if (podSpec.containers) result.containers = podSpec.containers.map(each);
  if (podSpec.initContainers) {
    result.initContainers = podSpec.initContainers.map((one) =>
      own.includes(one.name) ? one : each(one),
    );
  }
  return merged(result, template);
}

const asksGpu = (...parts) => parts.some((part) => part.resources?.limits?.[GPU] !== undefined);

function withoutGpu({ resources, ...rest }) {
  return { ...rest, resources: { ...resources, limits: { ...resources?.limits, [GPU]: 0 } } };
}

function merged(part, template) {
  const result = { ...part };
  for (const [key, value] of Object.entries(template)) {
    const there = part[key];
    if (value === null) continue;
    if (there === undefined || there === null) result[key] = value;
    else if (Array.isArray(there) && Array.isArray(value))
      result[key] = inserted(key, there, value);
    else if (key === 'resources') result[key] = { ...there, ...value, ...amounts(there, value) };
    else if (isMap(there) && isMap(value)) result[key] = { ...there, ...value };
  }
  return result;
}

function inserted(key, there, value) {
  const has = (item) =>
    key === 'env'
      ? there.some(({ name }) => name === item.name)
      : there.some((other) => contains(other, item));
  return [...value.filter((item) => !has(item)), ...there];
}

function contains(other, item) {
  if (Array.isArray(item)) {
    return Array.isArray(other) && item.every((one) => other.some((each) => contains(each, one)));
  }
  if (!isMap(item)) return other === item;
  return isMap(other) && Object.entries(item).every(([key, value]) => contains(other[key], value));
}

function amounts(there, value) {
  return Object.fromEntries(
    ['limits', 'requests']
      .filter((kind) => value[kind])
      .map((kind) => [kind, { ...there[kind], ...value[kind] }]),
  );
}

const isMap = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

function conversion({ request: { apiVersion, kind, request } }) {
  const { uid, desiredAPIVersion, objects } = request;
  const known = [desiredAPIVersion, ...objects.map((object) => object.apiVersion)].every(
    (version) => [V1, V2].includes(version),
  );
  const answer =
    known || objects.length === 0
      ? {
          result: { status: 'Success' },
          convertedObjects: objects.map((object) => converted(object, desiredAPIVersion)),
        }
      : { result: { status: 'Failed', message: '<text>' } };
  return { httpStatus: 200, response: { apiVersion, kind, response: { uid, ...answer } } };
}

function converted(object, apiVersion) {
  if (object.apiVersion === apiVersion || !object.spec) return { ...object, apiVersion };
  const { deploy, ...rest } = object.spec;
  const { annotations, ...metadata } = object.metadata;
  const { [OFF]: off, ...kept } = annotations ?? {};
  const on = off !== 'false' && (typeof deploy === 'boolean' ? deploy : true);
  const isOff = apiVersion === V1 && deploy === false;
  const next = isOff ? { ...kept, [OFF]: 'false' } : kept;
  return {
    ...object,
    apiVersion,
    metadata: Object.keys(next).length > 0 ? { ...metadata, annotations: next } : metadata,
    spec: apiVersion === V2 ? { ...rest, deploy: on } : rest,
  };
}

/** Of the shapes listed only an update that keeps the graph is allowed. */
function admission({ request: { apiVersion, kind, request } }, isAllowed) {
  const answer = isAllowed ? { allowed: true } : { allowed: false, status: refusal(request) };
  const response = { uid: request.uid, ...answer };
  return { httpStatus: 200, response: { apiVersion, kind, response } };
}

function refusal({ namespace }) {
  if (!namespace) return { code: 403, reason: 'Invalid graph', message: 'No namespace found' };
  return { code: 403, reason: 'Invalid: <text>', message: '<text>' };
}
