// Graphs that stand as the operator has left another one, without its work: their objects are those of that one by other names. If
// anything of them were not as it should be, the operator would write.
import { gunzipSync, gzipSync } from 'node:zlib';
import { resources } from '@glacis/graphs';
import { builtIns, ResourceClient } from '@glacis/kube';

const types = [
  resources.presets,
  builtIns.configMaps,
  builtIns.serviceAccounts,
  builtIns.pods,
  builtIns.secrets,
];
/** Kubernetes makes them in every Namespace. */
const everywhere = new Set(['default', 'kube-root-ca.crt']);

/** @param name of a graph of one component that is ready; no operator may run */
export async function cloneGraph(world, name, clones) {
  const template = await read(world, name);
  const left = clones.entries();
  const worker = async () => {
    for (const [at, clone] of left) await write(world, template, { name, clone, at });
  };
  await Promise.all(Array.from({ length: 32 }, worker));
}

const placeOf = (name) => `default-${name}-worker`;

async function read({ server, graphs }, name) {
  const namespaces = new ResourceClient(server, builtIns.namespaces);
  const lists = types.map((type) =>
    new ResourceClient(server, type).list({ namespace: placeOf(name) }),
  );
  return {
    graph: await graphs.get({ namespace: 'default', name }),
    place: await namespaces.get({ name: placeOf(name) }),
    objects: (await Promise.all(lists)).map(({ items }) =>
      items.filter(({ metadata }) => !everywhere.has(metadata.name)),
    ),
  };
}

async function write({ server, graphs, nodes }, { graph, place, objects }, { name, clone, at }) {
  const made = await graphs.create(fresh(graph, { name: clone }));
  await graphs.updateStatus(made, JSON.parse(renamed(JSON.stringify(graph.status), name, clone)));
  const like = (object) => {
    const text = JSON.stringify(fresh(object)).replaceAll(graph.metadata.uid, made.metadata.uid);
    return JSON.parse(renamed(text, name, clone));
  };
  await new ResourceClient(server, builtIns.namespaces).create(like({ ...place, spec: undefined }));
  for (const [index, type] of types.entries()) {
    const client = new ResourceClient(server, type);
    for (const object of objects[index])
      await client.create(adapted(like(object), { name, clone, node: nodes[at % nodes.length] }));
  }
}

const renamed = (text, from, to) =>
  text.replaceAll(placeOf(from), placeOf(to)).replaceAll(`"${from}"`, `"${to}"`);

/** Without what the API server sets. */
function fresh({ metadata, ...rest }, names = {}) {
  const { name, namespace, labels, annotations, finalizers } = metadata;
  return {
    ...rest,
    status: undefined,
    metadata: { name, namespace, labels, annotations, finalizers, ...names },
  };
}

function adapted(object, { name, clone, node }) {
  if (object.kind === 'Pod') return { ...object, spec: { ...object.spec, nodeName: node } };
  if (object.kind !== 'Secret') return object;
  const packed = Buffer.from(Buffer.from(object.data.release, 'base64').toString(), 'base64');
  const text = renamed(gunzipSync(packed).toString(), name, clone);
  const release = Buffer.from(gzipSync(text).toString('base64')).toString('base64');
  return { ...object, data: { release } };
}
