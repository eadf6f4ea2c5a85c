import { join } from 'node:path';
import { ApiServer, openAccess } from '@glacis/kube';
import { CLOCK, type Clock } from '@glacis/runtime';
import type { Provider } from '@nestjs/common';
import type { ProviderName } from '../jobs/job.entity.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import type { ComputeProvider } from './compute-provider.js';
import { machinesBy } from './clouds.js';
import { identitiesOf } from './identities.js';
import { ComputeProviders } from './compute-providers.js';
import { KubernetesCompute } from './kubernetes/kubernetes-compute.js';
import { LocalCompute, type Account } from './local/local-compute.js';

const names: readonly ProviderName[] = ['aws', 'gcp', 'azure'];

/** `uid:gid` each. */
const accountOf = (text: string): Account => {
  const [uid, gid] = text.split(':').map(Number);
  return { uid: uid ?? NaN, gid: gid ?? NaN };
};

/** Everything about where parties run. */
export const computeProviders: Provider[] = [
  { provide: ComputeProviders, useFactory: providersOf, inject: [SETTINGS, CLOCK] },
];

/**
 * Local processes, but for clouds that are set up, and the one name that stands for a cluster: two would be one provider in
 * truth (jobs.md 5).
 */
async function providersOf(settings: JobsSettings, clock: Clock): Promise<ComputeProviders> {
  const { agentsUrl, dataDir, localUsers, kubernetesProvider } = settings;
  const folder = join(dataDir, 'parties');
  const local = new LocalCompute({ folder, accounts: localUsers.map(accountOf) });
  const open = async (name: ProviderName): Promise<ComputeProvider> => {
    const machines = await machinesBy[name](settings, clock);
    if (machines !== undefined && agentsUrl === undefined)
      throw new Error('GLACIS_JOBS_AGENTS_URL is missing: machines of clouds have to reach it');
    if (name !== kubernetesProvider) return machines ?? local;
    if (machines === undefined) return podsOf(settings, clock);
    throw new Error(`parties of ${name} can be pods or machines, and not both`);
  };
  const opened = names.map(async (name) => [name, await open(name)] as const);
  const byName = new Map(await Promise.all(opened));
  return new ComputeProviders(byName, identitiesOf(byName, settings));
}

function podsOf(settings: JobsSettings, clock: Clock): KubernetesCompute {
  const { kubeconfig } = settings;
  const connect = async (): Promise<ApiServer> =>
    new ApiServer(await openAccess({ kubeconfig }), { userAgent: 'glacis-jobs' });
  const pods = {
    installation: settings.kubernetesInstallation,
    image: settings.kubernetesImage,
    runtimeClass: settings.kubernetesRuntimeClass,
    storageClass: settings.kubernetesStorageClass,
    pullSecretFiles: settings.kubernetesPullSecretFiles,
  };
  return new KubernetesCompute(connect, pods, clock);
}
