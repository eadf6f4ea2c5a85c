import { EventsModule, eventsMigrations } from '@glacis/events';
import { RpcDirectory, ServiceCertificate } from '@glacis/grpc';
import { Idempotency, idempotencyMigrations } from '@glacis/http';
import { auditMigrations, AuditModule } from '@glacis/identity';
import { CLOCK, newId, type Clock } from '@glacis/runtime';
import { StoreModule, type MigrationClass } from '@glacis/store';
import {
  Inject,
  Module,
  type DynamicModule,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { AgentEvidence } from './agents/agent-evidence.service.js';
import { AgentReports } from './agents/agent-reports.js';
import { AgentStates } from './agents/agent-states.service.js';
import { AgentsController } from './agents/agents.controller.js';
import { BackendDeletion } from './backends/backend-deletion.js';
import { BackendReader } from './backends/backend-reader.js';
import { BackendsController } from './backends/backends.controller.js';
import { BackendsService } from './backends/backends.service.js';
import { CommandsEvents } from './commands/commands.events.js';
import { Commands } from './commands/commands.service.js';
import { EnrolmentController } from './enrolment/enrolment.controller.js';
import { Enrolment } from './enrolment/enrolment.service.js';
import { InformationController } from './information/information.controller.js';
import { InformationService } from './information/information.service.js';
import { Journal } from './journal.js';
import { backendsMigrations } from './migrations.js';
import { AbandonedDeletions } from './monitoring/abandoned-deletions.js';
import { CertificatesEvents } from './monitoring/certificates.events.js';
import { Credentials } from './monitoring/credentials.js';
import { DUTIES, type Duty } from './monitoring/duty.js';
import { DutyLoops } from './monitoring/duty-loops.js';
import { Housekeeping } from './monitoring/housekeeping.js';
import { Leases } from './monitoring/leases.js';
import { LiveRecheck } from './monitoring/live-recheck.js';
import { Readiness } from './monitoring/readiness.js';
import { RevocationWatch } from './monitoring/revocation-watch.js';
import { Revocations } from './monitoring/revocations.js';
import { SharedStatePoll } from './monitoring/shared-state-poll.js';
import { Shutdown } from './monitoring/shutdown.js';
import { Sweeper } from './monitoring/sweeper.js';
import { TrustWatch } from './monitoring/trust-watch.js';
import { Replica } from './replica.js';
import { BackendsRpcService } from './rpc/backends.rpc.js';
import { InternalPort } from './rpc/internal-port.js';
import { WatchersEvents } from './rpc/watchers.events.js';
import { Watchers } from './rpc/watchers.js';
import { Relay } from './runs/relay.js';
import { RunAnswers } from './runs/run-answers.js';
import { RunQueues } from './runs/run-queues.js';
import { RunsController } from './runs/runs.controller.js';
import { RunsService } from './runs/runs.service.js';
import type { BackendsSettings } from './settings.js';
import { Admitter } from './streams/admitter.js';
import { CertificateCache } from './streams/certificate-cache.js';
import { DialectWatch } from './streams/dialect-watch.js';
import { Doorkeeper } from './streams/doorkeeper.js';
import { Inbound } from './streams/inbound.js';
import { LiveStreams } from './streams/live-streams.js';
import { StreamMetrics } from './streams/metrics.js';
import { Reception } from './streams/reception.js';
import { AdmissionLog } from './streams/admission-log.js';
import { RefusedCalls } from './streams/refused-calls.js';
import { RefusedClients } from './streams/refused-clients.js';
import { RefusedSet } from './streams/refused-set.js';
import { StreamClosings } from './streams/stream-closings.js';
import { StreamEnder } from './streams/stream-ender.js';
import { StreamFinder } from './streams/stream-finder.js';
import { StreamHolder } from './streams/stream-holder.js';
import { AgentListener, ListenerParts, ManagerListener } from './streams/stream-listener.js';
import { StreamSlots } from './streams/stream-slots.js';
import { StreamsEvents } from './streams/streams.events.js';
import { TerminationHolder } from './terminations/termination-holder.js';
import { TerminationsController } from './terminations/terminations.controller.js';
import { TerminationsEvents } from './terminations/terminations.events.js';
import { Terminations } from './terminations/terminations.service.js';
import { SETTINGS } from './tokens.js';
import { EndedVms } from './vms/ended-vms.js';
import { ManagerKeys } from './vms/manager-keys.js';
import { VmAttempts } from './vms/vm-attempts.js';
import { VmManagers } from './vms/vm-managers.service.js';
import { VmRequests } from './vms/vm-requests.js';
import { VmsController } from './vms/vms.controller.js';
import { VmsService } from './vms/vms.service.js';

const SERVICE = 'backends';

const migrations: MigrationClass[] = [
  ...backendsMigrations,
  ...eventsMigrations,
  ...auditMigrations,
  ...idempotencyMigrations,
];

const streams: Provider[] = [
  Admitter,
  AgentListener,
  CertificateCache,
  DialectWatch,
  Doorkeeper,
  Inbound,
  ListenerParts,
  LiveStreams,
  ManagerListener,
  Reception,
  AdmissionLog,
  RefusedCalls,
  RefusedClients,
  RefusedSet,
  StreamClosings,
  StreamEnder,
  StreamFinder,
  StreamHolder,
  StreamMetrics,
  StreamSlots,
];

const duties = [
  Credentials,
  Leases,
  SharedStatePoll,
  RevocationWatch,
  TrustWatch,
  LiveRecheck,
  Sweeper,
  AbandonedDeletions,
  EndedVms,
  ManagerKeys,
  Housekeeping,
];

const monitoring: Provider[] = [
  ...duties,
  { provide: DUTIES, inject: duties, useFactory: (...all: Duty[]) => all },
  DutyLoops,
  Readiness,
  Revocations,
  Shutdown,
];

/** The certificate of the streams, of the internal port and of calls to other services alike. */
function ownCertificate({ publicNames }: BackendsSettings): Provider {
  return {
    provide: ServiceCertificate,
    inject: [RpcDirectory, CLOCK],
    useFactory: (directory: RpcDirectory, clock: Clock) => {
      const certificates = directory.client('certificates');
      const options = { service: SERVICE, names: publicNames, certificates, clock };
      const certificate = new ServiceCertificate(options);
      directory.identify(() => certificate.credentials());
      return certificate;
    },
  };
}

/** The backends service: REST, the streams of managers and agents, and what other services may ask of it. */
@Module({})
export class BackendsModule implements OnModuleInit {
  constructor(
    @Inject(RpcDirectory) private readonly directory: RpcDirectory,
    @Inject(BackendsRpcService) private readonly rpc: BackendsRpcService,
  ) {}

  /** Needs from global modules: logger, metrics, health, tracing, clock, database URL, `RpcDirectory` and the bus. */
  static forRoot(settings: BackendsSettings): DynamicModule {
    const store = StoreModule.forService(SERVICE, migrations);
    return {
      module: BackendsModule,
      imports: [
        store,
        EventsModule.forService(SERVICE, store),
        AuditModule.forService(SERVICE, store),
      ],
      controllers: [
        BackendsController,
        TerminationsController,
        EnrolmentController,
        InformationController,
        AgentsController,
        RunsController,
        VmsController,
        StreamsEvents,
        TerminationsEvents,
        CommandsEvents,
        CertificatesEvents,
        WatchersEvents,
      ],
      providers: [
        { provide: SETTINGS, useValue: settings },
        { provide: Replica, useFactory: () => new Replica(newId(), settings.lease) },
        Idempotency,
        Journal,
        BackendDeletion,
        BackendReader,
        BackendsService,
        BackendsRpcService,
        Watchers,
        InternalPort,
        ownCertificate(settings),
        Commands,
        Terminations,
        TerminationHolder,
        Enrolment,
        InformationService,
        AgentEvidence,
        AgentReports,
        AgentStates,
        Relay,
        RunAnswers,
        RunQueues,
        RunsService,
        VmAttempts,
        VmManagers,
        VmRequests,
        VmsService,
        ...streams,
        ...monitoring,
      ],
      exports: [AgentListener, ManagerListener],
    };
  }

  onModuleInit(): void {
    this.directory.provide(SERVICE, this.rpc);
  }
}
