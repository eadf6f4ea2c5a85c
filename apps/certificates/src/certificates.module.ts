import { HttpAdapterHost } from '@nestjs/core';
import { Module, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { EventsModule, Outbox } from '@glacis/events';
import { JOIN_TOKEN, RpcDirectory } from '@glacis/grpc';
import { Idempotency } from '@glacis/http';
import { Audit, AuditModule } from '@glacis/identity';
import { Health, LOGGER, type Logger } from '@glacis/observability';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Store, StoreModule } from '@glacis/store';
import { Authority } from './authority/authority.js';
import { CaController } from './authority/ca.controller.js';
import { IssuerRevocation } from './authority/issuer-revocation.service.js';
import { IssuersController } from './authority/issuers.controller.js';
import { IssuersEvents } from './authority/issuers.events.js';
import { Rotation } from './authority/rotation.service.js';
import { CertificatesController } from './certificates/certificates.controller.js';
import { Certificates } from './certificates/certificates.service.js';
import { compose, type Services, type Surroundings } from './compose.js';
import { DownloadsController } from './downloads/downloads.controller.js';
import { Downloads } from './downloads/downloads.service.js';
import { EstPort } from './enrolment/est-port.js';
import { CsrReader } from './issuing/csr-reader.js';
import { IssueWriter } from './issuing/issue-writer.js';
import { IssuingController } from './issuing/issuing.controller.js';
import { Issuing } from './issuing/issuing.service.js';
import { RenewalController } from './issuing/renewal.controller.js';
import { Renewal } from './issuing/renewal.service.js';
import { CertificatesMetrics } from './metrics.js';
import { certificatesMigrations } from './migrations.js';
import { PoliciesController } from './names/policies.controller.js';
import { Policies } from './names/policies.service.js';
import { observe } from './observe.js';
import { BackendConnectedController } from './expiring/backend-connected.controller.js';
import { BackendDeletedController } from './revocation/backend-deleted.controller.js';
import { RevocationController } from './revocation/revocation.controller.js';
import { Revocation } from './revocation/revocation.service.js';
import { CertificatesRpcService } from './rpc/certificates-rpc.service.js';
import { InternalPort } from './rpc/internal-port.js';
import { WatchesEvents } from './rpc/watches.events.js';
import { Watches } from './rpc/watches.js';
import type { CertificatesSettings } from './settings.js';
import { CrlController } from './status/crl/crl.controller.js';
import { Crls } from './status/crl/crls.service.js';
import { OcspController } from './status/ocsp/ocsp.controller.js';
import { OcspHeaders } from './status/ocsp/ocsp-headers.js';
import { Ocsp } from './status/ocsp/ocsp.service.js';
import { PUBLIC_LIMIT, SERVICES } from './tokens.js';
import { PublicPort } from './status/public-port.js';
import { Upkeep } from './upkeep.js';

const service = 'certificates';

/** One of the composed objects under its injection token. */
function part(provide: Type | symbol | object, of: (services: Services) => unknown): Provider {
  return { provide: provide as Type, inject: [SERVICES], useFactory: of };
}

/** The certificate authority: REST, events and calls from other services (`certificates.md`, part I). */
@Module({})
export class CertificatesModule {
  static forRoot(settings: CertificatesSettings): DynamicModule {
    const store = StoreModule.forService(service, certificatesMigrations);
    return {
      module: CertificatesModule,
      imports: [
        store,
        EventsModule.forService(service, store),
        AuditModule.forService(service, store),
      ],
      controllers: [
        IssuingController,
        RenewalController,
        RevocationController,
        DownloadsController,
        OcspController,
        CrlController,
        IssuersController,
        CaController,
        IssuersEvents,
        PoliciesController,
        CertificatesController,
        BackendDeletedController,
        BackendConnectedController,
        WatchesEvents,
      ],
      providers: [
        Idempotency,
        CertificatesMetrics,
        publicPort(settings),
        ...composed(settings),
        ...parts,
      ],
    };
  }
}

const publicPort = (settings: CertificatesSettings): Provider => ({
  provide: PublicPort,
  inject: [HttpAdapterHost],
  useFactory: (host: HttpAdapterHost): PublicPort => new PublicPort(settings, host),
});

const parts: Provider[] = [
  part(Authority, (made) => made.authority),
  part(Rotation, (made) => made.rotation),
  part(IssuerRevocation, (made) => made.issuerRevocation),
  part(Policies, (made) => made.policies),
  part(CsrReader, (made) => made.csrs),
  part(IssueWriter, (made) => made.writer),
  part(Issuing, (made) => made.issuing),
  part(Revocation, (made) => made.revocation),
  part(Renewal, (made) => made.renewal),
  part(Downloads, (made) => made.downloads),
  part(Certificates, (made) => made.certificates),
  part(Ocsp, (made) => made.ocsp),
  part(OcspHeaders, (made) => made.ocspHeaders),
  part(Crls, (made) => made.crls),
  part(PUBLIC_LIMIT, (made) => made.publicLimit),
  part(CertificatesRpcService, (made) => made.rpc),
  part(Watches, (made) => made.watches),
  part(InternalPort, (made) => made.internalPort),
  part(EstPort, (made) => made.estPort),
  part(Upkeep, (made) => made.upkeep),
];

/** What the imported modules and the program around give, in two handfuls. */
const DATA = Symbol('data of certificates');
const HOST = Symbol('host of certificates');
type Data = Pick<Surroundings, 'store' | 'outbox' | 'audit' | 'metrics'>;
type Host = Pick<Surroundings, 'directory' | 'joinToken' | 'health' | 'logger' | 'clock'>;

function composed(settings: CertificatesSettings): Provider[] {
  return [
    {
      provide: DATA,
      inject: [Store, Outbox, Audit, CertificatesMetrics],
      useFactory: (
        store: Store,
        outbox: Outbox,
        audit: Audit,
        metrics: CertificatesMetrics,
      ): Data => ({ store, outbox, audit, metrics }),
    },
    {
      provide: HOST,
      inject: [RpcDirectory, Health, LOGGER, CLOCK, { token: JOIN_TOKEN, optional: true }],
      useFactory: (
        directory: RpcDirectory,
        health: Health,
        logger: Logger,
        clock: Clock,
        joinToken?: Buffer,
      ): Host => ({ directory, joinToken, health, logger, clock }),
    },
    {
      provide: SERVICES,
      inject: [DATA, HOST],
      useFactory: async (data: Data, host: Host): Promise<Services> => {
        const around = { settings, ...data, ...host };
        const services = await compose(around);
        observe(services, around);
        return services;
      },
    },
  ];
}
