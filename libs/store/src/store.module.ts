import { Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { LOGGER, type Logger } from '@glacis/observability';
import { ModuleRef } from '@nestjs/core';
import type { MigrationClass } from './migration.js';
import { openStore, Store } from './store.js';

/** Injection token of the database's URL, provided by a global module of the host program. */
export const DATABASE_URL = Symbol('DATABASE_URL');

/** Gives one service its `Store`, opened and migrated at boot, closed on shutdown. */
@Module({})
export class StoreModule implements OnApplicationShutdown {
  constructor(private readonly modules: ModuleRef) {}

  /** @param migrations those of the service and of the libraries that it uses */
  static forService(service: string, migrations: MigrationClass[]): DynamicModule {
    return {
      module: StoreModule,
      providers: [
        {
          provide: Store,
          inject: [DATABASE_URL, LOGGER],
          useFactory: (url: string, logger: Logger) =>
            openStore({ service, url, migrations, logger }),
        },
      ],
      exports: [Store],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.modules.get(Store, { strict: true }).close();
  }
}
