// {podSpec, preset, clusterHasNvidiaNode, result}: a pod with its preset, by the patch that the mutating webhook answers.
// Twice gives the same as once.
import { same } from '../same.mjs';
import { call } from '../webhooks.mjs';

export function fits(input) {
  return 'podSpec' in input && 'preset' in input;
}

export async function run({ podSpec, preset, clusterHasNvidiaNode, result }) {
  const facts = { preset, gpuNodes: clusterHasNvidiaNode === true };
  const once = await mutated({ spec: podSpec }, facts);
  const twice = await mutated(once, facts);
  const ours = same(once, twice) ? once.spec : { once: once.spec, twice: twice.spec };
  return { recorded: result, ours };
}

async function mutated(object, facts) {
  const review = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { uid: 'case', operation: 'CREATE', namespace: 'team-demo-a', object },
  };
  const { response } = await call('/mutate/pod', review, facts);
  const { allowed, patchType, patch } = response.response;
  if (!allowed || patchType !== 'JSONPatch') return { spec: response };
  return patched(structuredClone(object), JSON.parse(Buffer.from(patch, 'base64').toString()));
}

/** RFC 6902: `add` and `replace`. */
function patched(object, patch) {
  const root = { '': object };
  for (const { op, path, value } of patch) {
    const keys = path.split('/').map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop();
    const parent = keys.reduce((at, key) => at[key], root);
    if (!Array.isArray(parent) || op === 'replace') parent[last] = value;
    else parent.splice(last === '-' ? parent.length : Number(last), 0, value);
  }
  return root[''];
}
