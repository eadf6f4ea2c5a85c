// Graphs that are like one that was deployed, by other names: written at once as the operator has left it, for graphs that nothing
// happens to; or write by write as it came there, which tells how many graphs the API server takes by itself.
import { gunzipSync, gzipSync } from 'node:zlib';
import { FINALIZER, resources } from '@glacis/graphs';
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
const events = {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
};
const placeOf = (name) => `default-${name}-worker`;

export class GraphTemplate {
  /** @param name of a graph of one component that is ready; no operator may run */
  static async of(world, name) {
    const template = new GraphTemplate(world, name);
    const namespace = placeOf(name);
    const lists = types.map((type) => template.client(type).list({ namespace }));
    template.graph = await world.graphs.get({ namespace: 'default', name });
    template.place = await template.client(builtIns.namespaces).get({ name: namespace });
    const found = await Promise.all(lists);
    template.objects = found
      .flatMap(({ items }) => items)
      .filter(({ metadata }) => !everywhere.has(metadata.name));
    return template;
  }

  constructor(world, name) {
    this.world = world;
    this.name = name;
  }

  /** As the operator has left it. If anything were not as it should be, the operator would write. */
  async copy(clone, at) {
    const { graphs } = this.world;
    const made = await graphs.create(fresh(this.graph, { name: clone }));
    await graphs.updateStatus(made, this.statusOf(clone));
    const like = (object) => this.like(object, made, at);
    await this.client(builtIns.namespaces).create(like(this.place));
    for (const object of this.objects) await this.create(like(object));
  }

  /** The writes of the operator, of helm and of Kubernetes for it, one after another as they have to be. */
  async deploy(clone, at) {
    const { graphs, created, readyAt } = this.world;
    const { finalizers: _, ...metadata } = fresh(this.graph, { name: clone }).metadata;
    const bare = await graphs.create({ ...fresh(this.graph), metadata });
    created.set(clone, performance.now());
    const finalizers = { op: 'add', path: '/metadata/finalizers', value: [FINALIZER] };
    const kept = await graphs.jsonPatch(bare.metadata, [finalizers]);
    const status = this.statusOf(clone);
    const begun = await graphs.updateStatus(kept, { ...status, phase: 'Deploying' });
    await this.client(builtIns.namespaces).create(this.like(this.place, bare, at));
    for (const release of ['edges', 'component']) await this.install(release, bare, at);
    const done = await graphs.updateStatus(begun, status);
    readyAt.set(clone, performance.now());
    for (const reason of ['Validated', 'Deploying', 'ComponentDeployed', 'Deployed']) {
      await this.client(events).create(eventOf(done, reason));
    }
  }

  async install(release, graph, at) {
    const objects = this.objects.map((object) => this.like(object, graph, at));
    const secret = objects.find((each) => each.metadata.labels?.name === release);
    const secrets = this.client(builtIns.secrets);
    const labels = { ...secret.metadata.labels, status: 'pending-install' };
    const pending = { ...secret, metadata: { ...secret.metadata, labels } };
    await secrets.apply(pending, { fieldManager: 'helm' });
    const isOfRelease = ({ kind }) =>
      kind !== 'Secret' && ofCharts.has(kind) === (release === 'component');
    for (const object of objects.filter(isOfRelease)) await this.create(object);
    if (release === 'component')
      await this.world.podReady(`${placeOf(graph.metadata.name)}/worker`);
    await secrets.apply(secret, { fieldManager: 'helm' });
  }

  create(object) {
    return this.client(types.find(({ kind }) => kind === object.kind)).create(object);
  }

  client(type) {
    return new ResourceClient(this.world.server, type);
  }

  statusOf(clone) {
    return JSON.parse(this.renamed(JSON.stringify(this.graph.status), clone));
  }

  renamed(text, clone) {
    return text
      .replaceAll(placeOf(this.name), placeOf(clone))
      .replaceAll(`"${this.name}"`, `"${clone}"`);
  }

  like(object, { metadata: { name, uid } }, at) {
    const text = JSON.stringify(fresh(object)).replaceAll(this.graph.metadata.uid, uid);
    const copy = JSON.parse(this.renamed(text, name));
    const { nodes } = this.world;
    if (copy.kind === 'Pod') copy.spec.nodeName = nodes[at % nodes.length];
    if (copy.kind === 'Secret') copy.data.release = this.releaseFor(copy.data.release, name);
    return copy;
  }

  releaseFor(release, clone) {
    const packed = Buffer.from(Buffer.from(release, 'base64').toString(), 'base64');
    const text = this.renamed(gunzipSync(packed).toString(), clone);
    return Buffer.from(gzipSync(text).toString('base64')).toString('base64');
  }
}

const ofCharts = new Set(['Pod', 'ServiceAccount']);

/** Without what the API server sets. */
function fresh({ metadata, ...rest }, names = {}) {
  const { name, namespace, labels, annotations, finalizers } = metadata;
  const spec = rest.kind === 'Namespace' ? undefined : rest.spec;
  return {
    ...rest,
    spec,
    status: undefined,
    metadata: { name, namespace, labels, annotations, finalizers, ...names },
  };
}

function eventOf({ apiVersion, kind, metadata }, reason) {
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    metadata: { namespace, name: `${name}.${reason.toLowerCase()}` },
    eventTime: new Date().toISOString().replace('Z', '000Z'),
    regarding: { apiVersion, kind, name, namespace, uid, resourceVersion },
    type: 'Normal',
    reason,
    action: reason,
    note: `${reason} of generation 1, which is being deployed`,
    reportingController: 'glacis.dev/bench',
    reportingInstance: 'bench',
  };
}
