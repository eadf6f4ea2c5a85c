import { Module, type DynamicModule } from '@nestjs/common';
import { JOIN_TOKEN, RpcDirectory } from '@glacis/grpc';
import { Health, LOGGER, Metrics, Tracing, type Logger } from '@glacis/observability';
import { CLOCK, systemClock } from '@glacis/runtime';
import { DATABASE_URL } from '@glacis/store';

/** What a program gives to the services that it hosts. */
export interface Host {
  logger: Logger;
  metrics: Metrics;
  health: Health;
  tracing: Tracing;
  databaseUrl: string;
  /** Where its services find one another and those of other processes. */
  directory: RpcDirectory;
  /** By which services in other processes get their certificates from one here, or one here from there. */
  joinToken?: Buffer;
}

/** Global: everything that services expect of the program around them. */
@Module({})
export class HostModule {
  static forRoot(host: Host): DynamicModule {
    const providers = [
      { provide: LOGGER, useValue: host.logger },
      { provide: Metrics, useValue: host.metrics },
      { provide: Health, useValue: host.health },
      { provide: Tracing, useValue: host.tracing },
      { provide: CLOCK, useValue: systemClock },
      { provide: DATABASE_URL, useValue: host.databaseUrl },
      { provide: RpcDirectory, useValue: host.directory },
      { provide: JOIN_TOKEN, useFactory: () => host.joinToken },
    ];
    const exports = providers.map(({ provide }) => provide);
    return { module: HostModule, global: true, providers, exports };
  }
}
