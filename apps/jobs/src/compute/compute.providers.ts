import { join } from 'node:path';
import type { Provider } from '@nestjs/common';
import type { ProviderName } from '../jobs/job.entity.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { ComputeProviders } from './compute-providers.js';
import { LocalCompute, type Account } from './local/local-compute.js';

const names: readonly ProviderName[] = ['aws', 'gcp', 'azure'];

/** `uid:gid` each. */
const accountOf = (text: string): Account => {
  const [uid, gid] = text.split(':').map(Number);
  return { uid: uid ?? NaN, gid: gid ?? NaN };
};

/** Everything about where parties run. */
export const computeProviders: Provider[] = [
  {
    provide: ComputeProviders,
    useFactory: ({ dataDir, localUsers }: JobsSettings) => {
      const folder = join(dataDir, 'parties');
      const local = new LocalCompute({ folder, accounts: localUsers.map(accountOf) });
      return new ComputeProviders(new Map(names.map((name) => [name, local])));
    },
    inject: [SETTINGS],
  },
];
