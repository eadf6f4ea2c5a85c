import { appId } from '@glacis/graphs';
import { keyOf, refOf, WorkQueue } from '@glacis/kube';
import { LOGGER, type Logger } from '@glacis/observability';
import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { Feed } from '../feed/feed.js';
import { APPS_STORE, type AppsStore } from '../store/apps-store.js';
import type { Connection } from './connection.js';
import { GraphCluster, tenantLabel } from './graph-cluster.js';
import { GraphFollower } from './graph-follower.js';

/** Apps that are brought after their graphs at once. */
const workers = 4;

/** Has Apps follow whatever happens to graphs and Namespaces of the cluster, one handler per App at a time. */
@Injectable()
export class GraphWatch implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly queue: WorkQueue;
  private connection: Connection | undefined;

  constructor(
    @Inject(GraphCluster) private readonly cluster: GraphCluster,
    @Inject(GraphFollower) private readonly follower: GraphFollower,
    @Inject(APPS_STORE) private readonly store: AppsStore,
    @Inject(Feed) private readonly feed: Feed,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.queue = new WorkQueue({
      workers,
      work: (key) => this.work(key),
      onFailure: (key, error, failures, delayMs) =>
        logger.warn({ err: error, key, failures, delayMs }, 'App did not follow its graph'),
    });
  }

  onApplicationBootstrap(): void {
    this.connection = this.cluster.connected;
    if (this.connection) this.begin(this.connection);
  }

  async onModuleDestroy(): Promise<void> {
    await this.queue.stop();
  }

  private begin(connection: Connection): void {
    const { graphs, namespaces } = connection;
    connection.start();
    void Promise.all([graphs.synced, namespaces.synced]).then(() => {
      graphs.subscribe(({ key }) => this.queue.add(key));
      namespaces.subscribe(({ key: namespace, old, new: now }) => {
        const labels = [old, now].map((each) => each?.metadata.labels?.[tenantLabel]);
        if (old && labels[0] !== labels[1]) this.lookAtAll(namespace);
      });
      return this.lookAtDeployed();
    });
  }

  /** Apps whose graph went while nobody looked. */
  private async lookAtDeployed(): Promise<void> {
    try {
      for (const ref of await this.store.deployed()) this.queue.add(keyOf(ref));
    } catch (error) {
      this.logger.warn({ err: error }, 'deployed Apps not read');
      setTimeout(() => void this.lookAtDeployed(), 1_000).unref();
    }
  }

  private lookAtAll(namespace: string): void {
    for (const { metadata } of this.connection?.graphs.store.values() ?? []) {
      if (metadata.namespace === namespace) this.queue.add(keyOf(metadata));
    }
  }

  private async work(key: string): Promise<undefined> {
    const { namespace = '', name } = refOf(key);
    await this.follower.look({ namespace, name });
    this.feed.changed(appId({ namespace, name }));
  }
}
