import { checkedRoutes, contractErrors } from '@glacis/contracts';
import { EventsModule } from '@glacis/events';
import { defineErrorForm, Idempotency, plainErrors, snakeCaseCodes } from '@glacis/http';
import { AuditModule } from '@glacis/identity';
import { Health } from '@glacis/observability';
import { Store, StoreModule } from '@glacis/store';
import { Inject, Module, type DynamicModule } from '@nestjs/common';
import { accessProviders } from './access/access.providers.js';
import { agentsProviders } from './agents/agents.providers.js';
import { computeProviders } from './compute/compute.providers.js';
import { ContractController } from './contract/contract.controller.js';
import { contractProviders } from './contract/contract.providers.js';
import { FollowController } from './follow/follow.controller.js';
import { ToldEvents } from './follow/told-events.store.js';
import { ToldLogs } from './follow/told-logs.store.js';
import { AbandonedJobs } from './jobs/abandoned.js';
import { JobEvents } from './jobs/job-events.js';
import { JobFeed } from './jobs/job-feed.js';
import { JobLogs } from './jobs/job-logs.js';
import { JobShow } from './jobs/job-show.js';
import { JobsController } from './jobs/jobs.controller.js';
import { JobsService } from './jobs/jobs.service.js';
import { JobsStore } from './jobs/jobs.store.js';
import { Transitions } from './jobs/transitions.js';
import { jobsMigrations } from './migrations.js';
import { ClaimsService } from './owners/claims.service.js';
import { OwnersController } from './owners/owners.controller.js';
import { OwnersService } from './owners/owners.service.js';
import { StoredFiles } from './owners/stored-files.js';
import { PageController } from './page/page.controller.js';
import { PageModules } from './page/page-modules.js';
import { DryRun } from './plan/dry-run.service.js';
import { PlanView } from './plan/plan-view.js';
import { PublicUrl } from './public-url.js';
import { ResultsController } from './results/results.controller.js';
import { ResultsService } from './results/results.service.js';
import { runsProviders } from './runs/runs.providers.js';
import { checkScale, LISTENER, SETTINGS, type JobsSettings, type Listener } from './settings.js';
import { storageProviders } from './storage/storage.providers.js';
import { ValidationController } from './validation/validation.controller.js';

const service = 'jobs';

for (const route of checkedRoutes) defineErrorForm(route, plainErrors(contractErrors));
defineErrorForm('/jobs', snakeCaseCodes);

/** Secure SQL over the shares of several owners (`jobs.md`). */
@Module({})
export class JobsModule {
  constructor(@Inject(Health) health: Health, store: Store) {
    health.add(`${service} database`, () => store.ping());
  }

  /** Needs from global modules: logger, metrics, health, tracing, clock, database URL and the bus. */
  static forRoot(settings: JobsSettings, listener: Listener): DynamicModule {
    checkScale(settings);
    const store = StoreModule.forService(service, jobsMigrations);
    return {
      module: JobsModule,
      imports: [
        store,
        EventsModule.forService(service, store),
        AuditModule.forService(service, store),
      ],
      controllers: [
        ContractController,
        JobsController,
        OwnersController,
        PageController,
        FollowController,
        ResultsController,
        ValidationController,
      ],
      providers: [
        { provide: SETTINGS, useValue: settings },
        { provide: LISTENER, useValue: listener },
        AbandonedJobs,
        ClaimsService,
        DryRun,
        Idempotency,
        JobEvents,
        JobFeed,
        JobLogs,
        JobShow,
        JobsService,
        JobsStore,
        OwnersService,
        PageModules,
        PlanView,
        PublicUrl,
        ResultsService,
        StoredFiles,
        ToldEvents,
        ToldLogs,
        Transitions,
        ...accessProviders,
        ...agentsProviders,
        ...computeProviders,
        ...contractProviders,
        ...runsProviders,
        ...storageProviders,
      ],
    };
  }
}
