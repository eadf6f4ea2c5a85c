import type { ClusterView, InfraProvider, NamespaceView } from './cluster-view.js';
import type { GraphName } from './graph.js';

export interface ClusterIndexOptions {
  kafkaConfigured: boolean;
}

/** A `ClusterView` kept by setting and deleting objects one by one as informers see them. Takes any input. */
export class ClusterIndex implements ClusterView {
  ready = false;
  readonly kafkaConfigured: boolean;

  constructor({ kafkaConfigured }: ClusterIndexOptions) {
    this.kafkaConfigured = kafkaConfigured;
  }

  setNamespace(_name: string, _labels: Readonly<Record<string, string>>): void {
    throw new Error('not yet');
  }

  deleteNamespace(_name: string): void {
    throw new Error('not yet');
  }

  /** `spec` of the stored object, whatever its shape: it may be older than the rules. */
  setGraph(_graph: GraphName, _spec: unknown): void {
    throw new Error('not yet');
  }

  deleteGraph(_graph: GraphName): void {
    throw new Error('not yet');
  }

  /** A RampartInfra: `provides` are the names in its `status.provides`. */
  setInfra(_infra: InfraProvider, _provides: readonly string[]): void {
    throw new Error('not yet');
  }

  /** The RampartInfra of a graph has the graph's name. */
  deleteInfra(_graph: GraphName): void {
    throw new Error('not yet');
  }

  namespace(_name: string): NamespaceView | undefined {
    throw new Error('not yet');
  }

  claimantsOf(_namespace: string): Iterable<GraphName> {
    throw new Error('not yet');
  }

  claimUsers(_claim: string): Iterable<GraphName> {
    throw new Error('not yet');
  }

  providersOf(_infra: string): Iterable<InfraProvider> {
    throw new Error('not yet');
  }
}
