import { claimName, componentNamespace, flowNamespace, appId } from './names.js';
import type { ClusterView, Holder, NamespaceView } from './cluster-view.js';
import { entriesOf, member } from './json.js';
import type { GraphName, MountedType } from './graph.js';

export interface ClusterIndexOptions {
  kafkaConfigured: boolean;
}

/**
 * A `ClusterView` that is kept by setting and deleting objects one by one, as informers see them. Every change and
 * every answer costs what the one object costs, however many there are. Set `ready` once all of them were read.
 */
export class ClusterIndex implements ClusterView {
  ready = false;
  readonly kafkaConfigured: boolean;
  private readonly namespaces = new Map<string, NamespaceView>();
  private readonly claimants = new Registry<GraphName>();
  private readonly users = new Registry<Holder>();
  private readonly providers = new Registry<Holder>();

  constructor({ kafkaConfigured }: ClusterIndexOptions) {
    this.kafkaConfigured = kafkaConfigured;
  }

  setNamespace(name: string, labels: Readonly<Record<string, string>>): void {
    this.namespaces.set(name, { labels });
  }

  deleteNamespace(name: string): void {
    this.namespaces.delete(name);
  }

  /**
   * @param spec of the stored object, whatever its shape: it may be older than the rules
   * @param createdAt its `creationTimestamp`
   */
  setGraph(graph: GraphName, spec: unknown, createdAt = ''): void {
    const id = appId(graph);
    this.claimants.set(id, graph, claimedNamespaces(graph, spec));
    this.users.set(id, { graph, createdAt }, claimedClaims(graph, spec));
  }

  deleteGraph(graph: GraphName): void {
    this.claimants.delete(appId(graph));
    this.users.delete(appId(graph));
  }

  /** A RampartInfra; `provides` are the names in its `status.provides`. */
  setInfra(infra: Holder, provides: readonly string[]): void {
    this.providers.set(appId(infra.graph), infra, provides);
  }

  /** The RampartInfra of a graph has the graph's name. */
  deleteInfra(graph: GraphName): void {
    this.providers.delete(appId(graph));
  }

  namespace(name: string): NamespaceView | undefined {
    return this.namespaces.get(name);
  }

  claimantsOf(namespace: string): Iterable<GraphName> {
    return this.claimants.holdersOf(namespace);
  }

  claimUsers(claim: string): Iterable<Holder> {
    return this.users.holdersOf(claim);
  }

  providersOf(infra: string): Iterable<Holder> {
    return this.providers.holdersOf(infra);
  }
}

/** Who holds which keys, to be asked by key. */
class Registry<Of extends object> {
  private readonly keys = new Map<string, readonly string[]>();
  /** Nearly every key has one holder, and needs no map. */
  private readonly holders = new Map<string, Entry<Of> | Map<string, Of>>();

  set(id: string, holder: Of, keys: readonly string[]): void {
    this.delete(id);
    if (keys.length > 0) this.keys.set(id, keys);
    for (const key of keys) {
      const found = this.holders.get(key);
      if (found instanceof Map) found.set(id, holder);
      else if (!found || found.id === id) this.holders.set(key, { id, holder });
      else {
        this.holders.set(
          key,
          new Map([
            [found.id, found.holder],
            [id, holder],
          ]),
        );
      }
    }
  }

  delete(id: string): void {
    for (const key of this.keys.get(id) ?? []) {
      const found = this.holders.get(key);
      if (found instanceof Map) {
        found.delete(id);
        if (found.size === 0) this.holders.delete(key);
      } else if (found?.id === id) this.holders.delete(key);
    }
    this.keys.delete(id);
  }

  holdersOf(key: string): Iterable<Of> {
    const found = this.holders.get(key);
    if (found instanceof Map) return found.values();
    return found ? [found.holder] : [];
  }
}

interface Entry<Of> {
  id: string;
  holder: Of;
}

function claimedNamespaces(graph: GraphName, spec: unknown): string[] {
  const components = entriesOf(member(member(spec, 'graph'), 'components'));
  const own = components.map(([name, component]) => {
    const explicit = member(component, 'namespace');
    return componentNamespace(graph, name, typeof explicit === 'string' ? explicit : undefined);
  });
  const types = new Set(mountedFlows(spec).map(({ type }) => type));
  return [...own, ...[...types].map((type) => flowNamespace(graph, type))];
}

function claimedClaims(graph: GraphName, spec: unknown): string[] {
  return mountedFlows(spec).map(({ name }) => claimName(graph, name));
}

function mountedFlows(spec: unknown): { name: string; type: MountedType }[] {
  return entriesOf(member(member(spec, 'graph'), 'flows')).flatMap(([name, flow]) => {
    const type = member(flow, 'type');
    return type === 'volume' || type === 'repository' ? [{ name, type }] : [];
  });
}
