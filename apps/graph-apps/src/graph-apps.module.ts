import { EventsModule } from '@glacis/events';
import { AuditModule } from '@glacis/identity';
import { Health } from '@glacis/observability';
import { Store, StoreModule } from '@glacis/store';
import { Inject, Module, type DynamicModule } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { AppsController } from './apps/apps.controller.js';
import { AppsService } from './apps/apps.service.js';
import { GraphCheck } from './apps/check-graph.js';
import { Edits } from './apps/edits.js';
import { VersionsController } from './apps/versions.controller.js';
import { DeploymentsController } from './cluster/deployments.controller.js';
import { DeploymentsService } from './cluster/deployments.service.js';
import { GraphCluster } from './cluster/graph-cluster.js';
import { GraphFollower } from './cluster/graph-follower.js';
import { GraphWatch } from './cluster/graph-watch.js';
import { StatusController } from './cluster/status.controller.js';
import { CrossOrigin } from './cross-origin.js';
import { FeedController } from './feed/feed.controller.js';
import { FeedEvents } from './feed/feed.events.js';
import { Feed } from './feed/feed.js';
import { FlowsController } from './flows/flows.controller.js';
import { FlowsService } from './flows/flows.service.js';
import { FLOW_ADDRESS, inCluster, type FlowAddress } from './flows/upstream.js';
import { graphAppsMigrations } from './migrations.js';
import { NodeConfigsController } from './node-configs/node-configs.controller.js';
import { NodeConfigsService } from './node-configs/node-configs.service.js';
import { rootPath, SETTINGS, type GraphAppsSettings } from './settings.js';
import { documentProviders } from './store/documents.js';
import { UiSchemaController } from './ui-schema/ui-schema.controller.js';

const service = 'graph-apps';

/** Apps: graphs with their versions, and what becomes of them in the cluster (`graph-apps.md` 6). */
@Module({})
export class GraphAppsModule {
  constructor(@Inject(Health) health: Health, store: Store) {
    health.add(`${service} database`, () => store.ping());
  }

  /** Needs from global modules: logger, metrics, health, tracing, clock, database URL and the bus. */
  static forRoot(settings: GraphAppsSettings, flowAddress: FlowAddress = inCluster): DynamicModule {
    const store = StoreModule.forService(service, graphAppsMigrations);
    return {
      module: GraphAppsModule,
      imports: [
        store,
        EventsModule.forService(service, store),
        AuditModule.forService(service, store),
        RouterModule.register([{ path: rootPath(settings), module: GraphAppsModule }]),
      ],
      controllers: [
        DeploymentsController,
        StatusController,
        FeedController,
        AppsController,
        VersionsController,
        UiSchemaController,
        FlowsController,
        NodeConfigsController,
        FeedEvents,
      ],
      providers: [
        { provide: SETTINGS, useValue: settings },
        { provide: FLOW_ADDRESS, useValue: flowAddress },
        ...documentProviders,
        AppsService,
        CrossOrigin,
        DeploymentsService,
        Edits,
        Feed,
        FlowsService,
        GraphCheck,
        GraphCluster,
        GraphFollower,
        GraphWatch,
        NodeConfigsService,
      ],
    };
  }
}
