import { choosePreset, GPU, LABELS, type MutationPreset } from '@glacis/graphs';
import {
  builtIns,
  Informer,
  keyOf,
  ResourceClient,
  type IndexFunction,
  type KubeObject,
  type ResourceType,
} from '@glacis/kube';
import type { Health } from '@glacis/observability';
import { Bell } from '@glacis/runtime';
import type { Basis } from '../../basis.js';
import { mutationPresets } from '../kinds/index.js';
import type { PodFactsSource } from './hooks.js';

type Node = NonNullable<(typeof builtIns.nodes)['of']>;
type Claim = NonNullable<(typeof builtIns.persistentVolumeClaims)['of']>;

/** Milliseconds for which a pod waits for its preset: helm deletes it and makes it anew at each upgrade. */
const presetMs = 8_000;

/** Presets, nodes and claims, as copies that follow the cluster. */
export class PodFacts implements PodFactsSource {
  private readonly presets: Informer<MutationPreset>;
  private readonly nodes: Informer<Node>;
  private readonly claims: Informer<Claim>;
  private readonly news = new Bell();
  private ready = false;

  constructor(private readonly basis: Basis) {
    this.presets = this.copyOf(mutationPresets, {
      namespace: ({ metadata: { namespace = '' } }) => [namespace],
    });
    this.nodes = this.copyOf(builtIns.nodes, {
      gpu: ({ status }) => ((status?.capacity?.[GPU] ?? '0') === '0' ? [] : ['some']),
    });
    this.claims = this.copyOf(builtIns.persistentVolumeClaims);
    this.presets.subscribe(() => this.news.ring());
  }

  start(health: Health): void {
    for (const informer of this.informers) {
      informer.start();
      health.add(informer.name, () => informer.check());
    }
    void Promise.all(this.informers.map(({ synced }) => synced)).then(() => {
      this.ready = true;
      this.news.ring();
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.informers.map((informer) => informer.stop()));
  }

  async preset(namespace: string, signal: AbortSignal): Promise<MutationPreset | undefined> {
    const end = AbortSignal.any([signal, AbortSignal.timeout(presetMs)]);
    for (;;) {
      const seen = this.news.count;
      const there = this.ready ? this.presets.store.by('namespace', namespace) : [];
      if (there.length > 0) return this.chosen(namespace, there);
      if (end.aborted) return undefined;
      await this.news.after(seen, presetMs, end);
    }
  }

  endingClaim(namespace: string, claims: readonly string[]): string | undefined {
    return claims.find((name) => {
      const claim = this.claims.store.get(keyOf({ namespace, name }));
      return claim?.metadata.deletionTimestamp !== undefined;
    });
  }

  gpuNodes(): boolean {
    return this.nodes.store.by('gpu', 'some').length > 0;
  }

  /** As a rule there is one, and nobody needs to be asked. */
  private async chosen(
    namespace: string,
    presets: readonly MutationPreset[],
  ): Promise<MutationPreset | undefined> {
    if (presets.length === 1) return presets[0];
    const namespaces = new ResourceClient(this.basis.server, builtIns.namespaces);
    const { labels = {} } = (await namespaces.get({ name: namespace })).metadata;
    return choosePreset(presets, labels[LABELS.component]);
  }

  private copyOf<T extends KubeObject>(
    type: ResourceType<T>,
    indexes?: Record<string, IndexFunction<T>>,
  ): Informer<T> {
    const { server, logger, metrics } = this.basis;
    const source = new ResourceClient(server, type);
    return new Informer({ name: type.plural, source, indexes, logger, metrics });
  }

  private get informers(): Pick<
    Informer<KubeObject>,
    'name' | 'synced' | 'start' | 'stop' | 'check'
  >[] {
    return [this.presets, this.nodes, this.claims];
  }
}
