import type { ClusterView } from '@glacis/graphs';
import { isKubeError, keyOf, type KubeObject } from '@glacis/kube';
import { Health, LOGGER, Metrics, type Logger } from '@glacis/observability';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { App, AppRef } from '../apps/app.entity.js';
import { clusterNotConfigured } from '../problems.js';
import { SETTINGS, type GraphAppsSettings } from '../settings.js';
import { connect, isConfigured, type Connection, type GraphObject } from './connection.js';

/** Whose a Namespace is, and so the graphs in it. */
export const tenantLabel = 'glacis.dev/tenant';

function tenantIn({ metadata }: KubeObject, { tenant }: GraphAppsSettings): string {
  return metadata.labels?.[tenantLabel] ?? tenant;
}

/** The cluster that Apps are deployed to; there may be none. */
@Injectable()
export class GraphCluster implements OnModuleInit, OnApplicationShutdown {
  private connection: Connection | undefined;

  constructor(
    @Inject(SETTINGS) private readonly settings: GraphAppsSettings,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Metrics) private readonly metrics: Metrics,
    @Inject(Health) private readonly health: Health,
  ) {}

  async onModuleInit(): Promise<void> {
    const { kubeconfig } = this.settings;
    if (!isConfigured(kubeconfig)) return;
    const { logger, metrics } = this;
    const connection = await connect({ kubeconfig, logger, metrics });
    const check = async (): Promise<void> => {
      connection.graphs.check();
      connection.namespaces.check();
    };
    // Drafts and versions are served without it.
    this.health.add('graph-apps cluster', check, { essential: false });
    this.connection = connection;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.connection?.stop();
  }

  /** Undefined where none is configured. */
  get connected(): Connection | undefined {
    return this.connection;
  }

  /** What the rules may ask of the cluster. */
  get view(): ClusterView | undefined {
    return this.connection?.index;
  }

  /** @throws {Problem} cluster-not-configured */
  get required(): Connection {
    if (this.connection) return this.connection;
    throw clusterNotConfigured('no cluster is configured: set GLACIS_GRAPH_APPS_KUBECONFIG');
  }

  /** The graph of an App as this replica has seen it last. */
  seen(ref: AppRef): GraphObject | undefined {
    return this.connection?.graphs.store.get(keyOf(ref));
  }

  /** Whose the graphs of a Namespace are; undefined where the Namespace is not there. Asks the cluster. */
  async tenantOf(namespace: string): Promise<string | undefined> {
    const found = await this.required.clients.namespaces.find({ name: namespace });
    return found && tenantIn(found, this.settings);
  }

  /** As {@link tenantOf}, from memory where it is known there. */
  async seenTenantOf(namespace: string): Promise<string | undefined> {
    const seen = this.required.namespaces.store.get(namespace);
    return seen ? tenantIn(seen, this.settings) : this.tenantOf(namespace);
  }

  /** Asks for the deletion of the graph; finalizers may hold it for long. One that is gone is no error. */
  async delete({ namespace, name, uid }: App): Promise<void> {
    try {
      await this.required.clients.graphs.delete({ namespace, name }, { uid: uid ?? undefined });
    } catch (error) {
      if (!isKubeError(error, 'notFound')) throw error;
    }
  }
}
