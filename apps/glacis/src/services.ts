import { BackendsModule, backendsSettings } from '@glacis/backends';
import { CertificatesModule, certificatesSettings } from '@glacis/certificates';
import { GatewayModule, gatewaySettings } from '@glacis/gateway';
import { GraphAppsModule, graphAppsSettings } from '@glacis/graph-apps';
import { JobsModule, jobsSettings } from '@glacis/jobs';
import { loadSettings } from '@glacis/settings';
import type { DynamicModule } from '@nestjs/common';
import type { DataFolder } from './data-folder.js';
import { isLoopback, reachableUrl } from './reach.js';
import type { SuiteSettings } from './settings.js';

/** Every service, mounted behind one door. */
export function servicesOf(settings: SuiteSettings, dataFolder: DataFolder): DynamicModule[] {
  // In one process the services call each other without a port; by settings one is opened for other processes.
  const internal = { grpcHost: settings.host, grpcPort: '' };
  const certificates = loadSettings(certificatesSettings, {
    overrides: {
      ...internal,
      estHost: settings.host,
      kekFile: dataFolder.kekFile,
      // Hosts elsewhere are no reason to let anybody be a server at localhost.
      allowLoopback: String(isLoopback(settings.host)),
      publicUrl: reachableUrl(settings.host, settings.port),
    },
  });
  const backends = loadSettings(backendsSettings, {
    overrides: {
      ...internal,
      managerHost: settings.host,
      agentHost: settings.host,
      kekFile: dataFolder.kekFile,
    },
  });
  const gateway = loadSettings(gatewaySettings, {
    overrides: { ...internal, kekFile: dataFolder.kekFile },
  });
  const jobs = loadSettings(jobsSettings, {
    overrides: {
      agentsHost: settings.host,
      dataDir: dataFolder.jobsDir,
      secretFile: dataFolder.kekFile,
    },
  });
  return [
    GatewayModule.forRoot(gateway),
    CertificatesModule.forRoot(certificates),
    BackendsModule.forRoot(backends),
    GraphAppsModule.forRoot(loadSettings(graphAppsSettings)),
    JobsModule.forRoot(jobs, settings),
  ];
}
