import {
  builtIns,
  controllerKey,
  Informer,
  keyOf,
  ResourceClient,
  trigger,
  type ApiServer,
  type IndexFunction,
  type KubeObject,
  type ResourceType,
  type Trigger,
} from '@glacis/kube';
import type { Health, Logger, Metrics } from '@glacis/observability';
import type { Pod, Service, StatefulSet } from './manifests.js';
import { ownSelector, teeManagers, type TeeManager } from './tee-manager.js';
import type { Cache } from './work.js';

export interface CacheOptions {
  server: ApiServer;
  /** Empty: all. */
  namespaces: readonly string[];
  logger: Logger;
  metrics: Metrics;
}

/** One resource in the namespaces that are served. */
class Watched<T extends KubeObject> {
  readonly informers: Informer<T>[];

  constructor(
    { server, namespaces, logger, metrics }: CacheOptions,
    type: ResourceType<T>,
    options: { labelSelector?: string; indexes?: Record<string, IndexFunction<T>> },
  ) {
    const { labelSelector, indexes } = options;
    const source = new ResourceClient(server, type);
    const places = namespaces.length > 0 ? namespaces : [undefined];
    this.informers = places.map((namespace) => {
      const name = namespace === undefined ? type.plural : `${type.plural} in ${namespace}`;
      const selection = { namespace, labelSelector };
      return new Informer({ name, source, selection, indexes, logger, metrics });
    });
  }

  get(key: string): T | undefined {
    return this.informers.map(({ store }) => store.get(key)).find((object) => object !== undefined);
  }

  by(index: string, value: string): T[] {
    return this.informers.flatMap(({ store }) => store.by(index, value));
  }

  values(): T[] {
    return this.informers.flatMap(({ store }) => [...store.values()]);
  }

  triggers(keysOf?: (object: T) => readonly string[]): Trigger[] {
    return this.informers.map((informer) => trigger(informer, keysOf));
  }
}

/** The TeeManagers that are served, and what was made for them. */
export class ClusterCache implements Cache {
  readonly managers: Watched<TeeManager>;
  readonly statefulSets: Watched<StatefulSet>;
  readonly services: Watched<Service>;
  readonly pods: Watched<Pod>;

  constructor(options: CacheOptions) {
    const labelSelector = ownSelector;
    this.managers = new Watched(options, teeManagers, {
      indexes: {
        backend: ({ status }) => (status?.backendId === undefined ? [] : [status.backendId]),
        tenant: ({ status }) => (status?.tenant === undefined ? [] : [status.tenant]),
      },
    });
    this.statefulSets = new Watched(options, builtIns.statefulSets, { labelSelector });
    this.services = new Watched(options, builtIns.services, { labelSelector });
    this.pods = new Watched(options, builtIns.pods, { labelSelector });
  }

  start(health: Health): void {
    for (const informer of this.informers) {
      informer.start();
      health.add(informer.name, () => informer.check());
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.informers.map((informer) => informer.stop()));
  }

  /** What concerns a TeeManager: itself, what it owns, and the Pod of what it owns. */
  triggers(): Trigger[] {
    const owned = controllerKey(teeManagers);
    return [
      ...this.managers.triggers(),
      ...this.statefulSets.triggers(owned),
      ...this.services.triggers(owned),
      ...this.pods.triggers(({ metadata: { namespace, labels = {} } }) => {
        const name = labels['app.kubernetes.io/instance'];
        return name === undefined ? [] : [keyOf({ namespace, name })];
      }),
    ];
  }

  private get informers(): Informer<KubeObject>[] {
    const { managers, statefulSets, services, pods } = this;
    return [managers, statefulSets, services, pods].flatMap(
      ({ informers }) => informers as unknown as Informer<KubeObject>[],
    );
  }
}
