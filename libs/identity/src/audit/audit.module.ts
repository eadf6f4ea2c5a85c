import { LOGGER, type Logger } from '@glacis/observability';
import { CLOCK, Loop, type Clock } from '@glacis/runtime';
import { Store } from '@glacis/store';
import {
  Inject,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { auditController } from './audit.controller.js';
import { Audit } from './audit.js';
import { sealAudit } from './sealer.js';

/** Milliseconds from one turn of the sealer to the next: how long a row lies unprotected at most, about. */
const sealEveryMs = 1_000;

/** Gives one service its `Audit`, the sealer behind it, and the routes below `/audit/<service>`. */
@Module({})
export class AuditModule implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly sealer: Loop;

  constructor(@Inject(Store) store: Store, @Inject(LOGGER) logger: Logger) {
    this.sealer = new Loop({
      name: `audit sealer of ${store.service}`,
      intervalMs: sealEveryMs,
      run: () => sealAudit(store),
      onError: (error) => logger.warn({ err: error, service: store.service }, 'audit not sealed'),
    });
  }

  /**
   * @param service its name in the paths
   * @param store the service's own `StoreModule.forService(…)`, whose migrations include `auditMigrations`
   */
  static forService(service: string, store: DynamicModule): DynamicModule {
    return {
      module: AuditModule,
      imports: [store],
      controllers: [auditController(service)],
      providers: [
        {
          provide: Audit,
          inject: [{ token: CLOCK, optional: true }],
          useFactory: (clock?: Clock) => new Audit(clock),
        },
      ],
      exports: [Audit],
    };
  }

  onApplicationBootstrap(): void {
    this.sealer.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.sealer.stop();
  }
}
