import { Outbox } from '@glacis/events';
import { Audit } from '@glacis/identity';
import { Health, LOGGER, type Logger } from '@glacis/observability';
import { CLOCK, type Clock } from '@glacis/runtime';
import { SettingsError } from '@glacis/settings';
import { Store } from '@glacis/store';
import {
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type Provider,
} from '@nestjs/common';
import { SETTINGS, type GraphAppsSettings } from '../settings.js';
import { APPS_STORE, type AppsStore } from './apps-store.js';
import { openMongo, type MongoCollections } from './mongo/client.js';
import { MongoApps } from './mongo/mongo-apps.js';
import { MongoNodeConfigs } from './mongo/mongo-node-configs.js';
import { MongoRelay } from './mongo/mongo-relay.js';
import { NODE_CONFIGS_STORE, type NodeConfigsStore } from './node-configs-store.js';
import { PostgresApps } from './postgres/postgres-apps.js';
import { PostgresNodeConfigs } from './postgres/postgres-node-configs.js';

/** The stores of the documents, as the settings choose them. */
export class Documents implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  private constructor(
    readonly apps: AppsStore,
    readonly nodeConfigs: NodeConfigsStore,
    private readonly mongo?: { relay: MongoRelay; collections: MongoCollections },
  ) {}

  static async open(parts: DocumentParts): Promise<Documents> {
    const { settings, store, outbox, audit, health } = parts;
    if (settings.store === 'postgres') {
      const apps = new PostgresApps(store, outbox, audit);
      return new Documents(apps, new PostgresNodeConfigs(store, audit));
    }
    const mongo = await openMongo(urlOf(settings));
    health.add('graph-apps documents', () => mongo.ping());
    const relay = new MongoRelay({ ...parts, mongo });
    const wake = (): void => relay.wake();
    return new Documents(new MongoApps(mongo, wake), new MongoNodeConfigs(mongo, wake), {
      relay,
      collections: mongo,
    });
  }

  onApplicationBootstrap(): void {
    this.mongo?.relay.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.mongo?.relay.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.mongo?.collections.close();
  }
}

export interface DocumentParts {
  settings: GraphAppsSettings;
  store: Store;
  outbox: Outbox;
  audit: Audit;
  health: Health;
  clock: Clock;
  logger: Logger;
}

function urlOf({ storeUrl }: GraphAppsSettings): string {
  if (storeUrl !== undefined) return storeUrl;
  throw new SettingsError([
    { name: 'GLACIS_STORE_URL', reason: 'needed with GLACIS_STORE=mongodb' },
  ]);
}

export const documentProviders: Provider[] = [
  {
    provide: Documents,
    inject: [SETTINGS, Store, Outbox, Audit, Health, CLOCK, LOGGER],
    useFactory: (
      settings: GraphAppsSettings,
      store: Store,
      outbox: Outbox,
      audit: Audit,
      health: Health,
      clock: Clock,
      logger: Logger,
    ) => Documents.open({ settings, store, outbox, audit, health, clock, logger }),
  },
  { provide: APPS_STORE, inject: [Documents], useFactory: ({ apps }: Documents) => apps },
  {
    provide: NODE_CONFIGS_STORE,
    inject: [Documents],
    useFactory: ({ nodeConfigs }: Documents) => nodeConfigs,
  },
];
