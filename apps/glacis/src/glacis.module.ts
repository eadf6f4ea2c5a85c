import { Module, type DynamicModule } from '@nestjs/common';
import { BackendsModule, backendsSettings } from '@glacis/backends';
import { CertificatesModule, certificatesSettings } from '@glacis/certificates';
import { EventsModule } from '@glacis/events';
import { GatewayModule, gatewaySettings } from '@glacis/gateway';
import { IdentityModule, type IdentityOptions } from '@glacis/identity';
import { loadSettings } from '@glacis/settings';
import type { DataFolder } from './data-folder.js';
import { HostModule, type Host } from './host.module.js';
import type { SuiteSettings } from './settings.js';

export interface GlacisOptions {
  settings: SuiteSettings;
  dataFolder: DataFolder;
  host: Host;
  identity: IdentityOptions;
}

/** Every service, mounted behind one door. */
@Module({})
export class GlacisModule {
  static forRoot({ settings, dataFolder, host, identity }: GlacisOptions): DynamicModule {
    // In one process the services call each other without a port.
    const internal = { grpcHost: settings.host, grpcPort: '' };
    const certificates = loadSettings(certificatesSettings, {
      overrides: {
        ...internal,
        kekFile: dataFolder.kekFile,
        allowLoopback: 'true',
        // A port that changes from start to start is no address to print into certificates.
        publicUrl: settings.port === 0 ? '' : `http://${settings.host}:${settings.port}`,
      },
    });
    const backends = loadSettings(backendsSettings, {
      overrides: { ...internal, managerHost: settings.host },
    });
    return {
      module: GlacisModule,
      imports: [
        HostModule.forRoot(host),
        EventsModule.forRoot(),
        IdentityModule.forRoot(identity),
        GatewayModule.forRoot(loadSettings(gatewaySettings)),
        CertificatesModule.forRoot(certificates),
        BackendsModule.forRoot(backends),
      ],
    };
  }
}
