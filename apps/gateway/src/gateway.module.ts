import { EventsModule } from '@glacis/events';
import { AuditModule } from '@glacis/identity';
import { Health } from '@glacis/observability';
import { Store, StoreModule } from '@glacis/store';
import { Inject, Module, type DynamicModule } from '@nestjs/common';
import { ForwardingRoutes } from './forwarding/forwarding.routes.js';
import { Upstreams } from './forwarding/upstreams.js';
import { HomeController } from './home/home.controller.js';
import { gatewayMigrations } from './migrations.js';
import { OpenApi } from './openapi/open-api.js';
import { ServiceDocuments } from './openapi/service-documents.js';
import { OpenApiController } from './openapi/openapi.controller.js';
import { ProblemsController } from './problems/problems.controller.js';
import { GatewayRpcService } from './rpc/gateway.rpc.js';
import { InternalPort } from './rpc/internal-port.js';
import { ServicesController } from './services/services.controller.js';
import { ServicesService } from './services/services.service.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from './settings.js';
import { IssuerKeysController } from './tokens/issuer-keys.controller.js';
import { IssuerKeysService } from './tokens/issuer-keys.service.js';
import { Revocations } from './tokens/revocations.js';
import { TokensController } from './tokens/tokens.controller.js';
import { TokensService } from './tokens/tokens.service.js';
import { WellKnownController } from './tokens/well-known.controller.js';

const service = 'gateway';

/** What the door serves itself. Needs `IdentityModule.forRoot` and `EventsModule.forRoot` in the program. */
@Module({})
export class GatewayModule {
  constructor(@Inject(Health) health: Health, store: Store) {
    health.add(`${service} database`, () => store.ping());
  }

  static forRoot(settings: GatewaySettings): DynamicModule {
    const store = StoreModule.forService(service, gatewayMigrations);
    return {
      module: GatewayModule,
      imports: [
        store,
        EventsModule.forService(service, store),
        AuditModule.forService(service, store),
      ],
      controllers: [
        HomeController,
        OpenApiController,
        ProblemsController,
        ServicesController,
        IssuerKeysController,
        TokensController,
        WellKnownController,
      ],
      providers: [
        { provide: GATEWAY_SETTINGS, useValue: settings },
        ForwardingRoutes,
        GatewayRpcService,
        InternalPort,
        IssuerKeysService,
        OpenApi,
        Revocations,
        ServiceDocuments,
        ServicesService,
        TokensService,
        Upstreams,
      ],
      exports: [OpenApi, TokensService],
    };
  }
}
