import { LABELS } from '@glacis/graphs';
import {
  builtIns,
  byLabel,
  Informer,
  ResourceClient,
  trigger,
  type ApiServer,
  type IndexFunction,
  type InformerOptions,
  type KubeObject,
  type ResourceType,
  type StoreReader,
  type Trigger,
} from '@glacis/kube';
import type { Health, Logger, Metrics } from '@glacis/observability';
import { graphKeyOf, graphKeysOf } from './graph-key.js';
import { renderedTypes, watchedTypes } from './manifest-types.js';
import {
  chartObject,
  packed,
  podRecord,
  releaseRecord,
  unpacked,
  volumeRecord,
  type PackedObject,
  type PodRecord,
  type ReleaseRecord,
  type VolumeRecord,
} from './records.js';
import { partOf } from './source.js';

export interface OwnedCacheOptions {
  server: ApiServer;
  /** Of all Namespaces: whose pods and volumes are whose stands in their labels. */
  namespaces: StoreReader<KubeObject>;
  logger: Logger;
  metrics: Metrics;
}

const ours = LABELS.graphUid;
const ofCharts = `app.kubernetes.io/managed-by=Helm,!${ours}`;
const byNamespace: IndexFunction<KubeObject> = ({ metadata }) => [metadata.namespace ?? ''];

/** What was made for graphs, by the operator and by charts. It may be late: whoever acts on what is missing asks first. */
export class OwnedCache {
  readonly releases: Informer<ReleaseRecord>;
  readonly pods: Informer<PodRecord>;
  readonly volumes: Informer<VolumeRecord>;
  private readonly rendered: ReadonlyMap<string, Informer<PackedObject>>;
  private readonly charts: ReadonlyMap<string, Informer<KubeObject>>;

  constructor(private readonly options: OwnedCacheOptions) {
    this.rendered = new Map(
      renderedTypes.map((type) => {
        const labelSelector = type === builtIns.secrets ? `${ours},owner!=helm` : ours;
        const source = partOf(new ResourceClient(options.server, type), packed);
        const indexes = type === builtIns.secrets ? { namespace: byNamespace } : undefined;
        const name = `${type.plural} of graphs`;
        return [
          type.kind,
          this.informer(type as ResourceType<PackedObject>, {
            name,
            source,
            selection: { labelSelector },
            indexes,
          }),
        ];
      }),
    );
    this.charts = new Map(
      watchedTypes.map((type) => {
        const source = partOf(new ResourceClient(options.server, type), chartObject);
        const indexes = { namespace: byNamespace };
        const selection = { labelSelector: ofCharts };
        const name = `${type.plural} of charts`;
        return [type.kind, this.informer(type, { name, source, selection, indexes })];
      }),
    );
    const { server } = options;
    const secrets = new ResourceClient(server, builtIns.secrets);
    this.releases = this.informer(builtIns.secrets as unknown as ResourceType<ReleaseRecord>, {
      name: 'releases',
      source: partOf(secrets, releaseRecord),
      selection: { labelSelector: `owner=helm,${ours}` },
      indexes: { namespace: byNamespace },
    });
    this.pods = this.informer(builtIns.pods, {
      source: partOf(new ResourceClient(server, builtIns.pods), podRecord),
      indexes: { namespace: byNamespace },
    });
    const volumes = new ResourceClient(server, builtIns.persistentVolumes);
    this.volumes = this.informer(builtIns.persistentVolumes, {
      source: partOf(volumes, volumeRecord),
      indexes: { graph: byLabel(LABELS.graphUid), graphKey: graphKeysOf },
    });
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

  /** What concerns a graph: whatever carries its labels, and whatever lies in a Namespace that does. */
  triggers(): Trigger[] {
    const byPlace = ({ metadata }: KubeObject): string[] => this.graphIn(metadata.namespace);
    const byClaim = (volume: VolumeRecord): string[] => [
      ...this.graphIn(volume.claim?.namespace),
      ...graphKeysOf(volume),
    ];
    return [
      ...[...this.rendered.values()].map((informer) => trigger(informer, graphKeysOf)),
      ...[...this.charts.values()].map((informer) => trigger(informer, byPlace)),
      trigger(this.releases, byPlace),
      trigger(this.pods, byPlace),
      trigger(this.volumes, byClaim),
    ];
  }

  /** What the operator renders, as it is there. */
  find(kind: string, key: string): KubeObject | undefined {
    const found = this.rendered.get(kind)?.store.get(key);
    return found && unpacked(found);
  }

  /** Secrets in a Namespace that the operator has made there. */
  secretsIn(namespace: string): KubeObject[] {
    return (this.rendered.get('Secret')?.store.by('namespace', namespace) ?? []).map(unpacked);
  }

  /** Whether an object of a chart is there; undefined: its kind is not watched. */
  hasChartObject(kind: string, key: string): boolean | undefined {
    const informer = this.charts.get(kind);
    if (!informer) return undefined;
    const others = this.rendered.get(kind)?.store;
    return informer.store.get(key) !== undefined || others?.get(key) !== undefined;
  }

  /** Volumes with the labels of a graph. */
  volumesOf(uid: string): VolumeRecord[] {
    return this.volumes.store.by('graph', uid);
  }

  /** The same by `namespace/name` of the graph, whatever its uid. */
  volumesOfKey(key: string): VolumeRecord[] {
    return this.volumes.store.by('graphKey', key);
  }

  /** Pods of a Namespace. */
  podsIn(namespace: string): PodRecord[] {
    return this.pods.store.by('namespace', namespace);
  }

  /** The newest revision of a release. */
  release(namespace: string, name: string): ReleaseRecord | undefined {
    return this.releases.store
      .by('namespace', namespace)
      .filter(({ release }) => release === name)
      .reduce<ReleaseRecord | undefined>(newer, undefined);
  }

  private graphIn(namespace: string | undefined): string[] {
    const place = namespace === undefined ? undefined : this.options.namespaces.get(namespace);
    return [(place && graphKeyOf(place)) ?? []].flat();
  }

  private informer<T extends KubeObject>(
    type: ResourceType<T>,
    options: Partial<InformerOptions<T>>,
  ): Informer<T> {
    const { server, logger, metrics } = this.options;
    const source = new ResourceClient(server, type);
    return new Informer<T>({
      name: `${type.plural} of graphs`,
      source,
      ...options,
      logger,
      metrics,
    });
  }

  private get informers(): Informer<KubeObject>[] {
    const { rendered, charts, releases, pods, volumes } = this;
    const others = [...rendered.values(), releases, pods, volumes];
    return [...charts.values(), ...(others as unknown as Informer<KubeObject>[])];
  }
}

const newer = (one: ReleaseRecord | undefined, other: ReleaseRecord): ReleaseRecord =>
  one && one.revision > other.revision ? one : other;
