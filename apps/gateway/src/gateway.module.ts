import { EventsModule } from '@glacis/events';
import { AuditModule, TokenIssuer } from '@glacis/identity';
import { Health } from '@glacis/observability';
import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import { Store, StoreModule } from '@glacis/store';
import { Inject, Module, type DynamicModule, type Provider } from '@nestjs/common';
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
import { ExpiredTokens } from './tokens/expired-tokens.js';
import { IssuerKeysController } from './tokens/issuer-keys.controller.js';
import { IssuerKeysService } from './tokens/issuer-keys.service.js';
import { IssuerKeysWatch } from './tokens/issuer-keys-watch.js';
import { KeptKeys } from './tokens/kept-keys.js';
import { Revocations } from './tokens/revocations.js';
import { TokensController } from './tokens/tokens.controller.js';
import { TokensService } from './tokens/tokens.service.js';
import { WellKnownController } from './tokens/well-known.controller.js';

const service = 'gateway';

/** The issuer of this process has them before anything else begins. */
function keptKeys({ kekFile }: GatewaySettings): Provider {
  return {
    provide: KeptKeys,
    inject: [Store, TokenIssuer, { token: CLOCK, optional: true }],
    useFactory: async (store: Store, issuer: TokenIssuer, clock: Clock = systemClock) => {
      const kept = await KeptKeys.open(store, kekFile, clock);
      await issuer.keys.keptBy(() => kept.read());
      return kept;
    },
  };
}

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
        ExpiredTokens,
        ForwardingRoutes,
        GatewayRpcService,
        InternalPort,
        IssuerKeysService,
        IssuerKeysWatch,
        keptKeys(settings),
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
