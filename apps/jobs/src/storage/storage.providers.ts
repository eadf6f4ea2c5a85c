import { join } from 'node:path';
import { CLOCK, type Clock } from '@glacis/runtime';
import type { Provider } from '@nestjs/common';
import { Secrets } from '../access/secrets.js';
import type { ProviderName } from '../jobs/job.entity.js';
import { PublicUrl } from '../public-url.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { openAwsBy, openAzureBy, openGcpBy } from './clouds.js';
import { Leftovers } from './local/leftovers.js';
import { LocalBuckets } from './local/local-buckets.js';
import { LocalStorage } from './local/local-storage.js';
import { SignedUrls } from './local/signed-url.js';
import { StorageRoutes } from './local/storage.routes.js';
import type { StorageProvider } from './storage-provider.js';
import { StorageProviders } from './storage-providers.js';
import { Sweeper } from './sweeper.js';

/** Everything about buckets. */
export const storageProviders: Provider[] = [
  {
    provide: LocalBuckets,
    useFactory: ({ dataDir }: JobsSettings) => new LocalBuckets(join(dataDir, 'buckets')),
    inject: [SETTINGS],
  },
  {
    provide: SignedUrls,
    useFactory: (secrets: Secrets, clock: Clock) => new SignedUrls(secrets, clock),
    inject: [Secrets, CLOCK],
  },
  {
    provide: StorageProviders,
    useFactory: open,
    inject: [SETTINGS, LocalBuckets, SignedUrls, CLOCK, PublicUrl],
  },
  Leftovers,
  StorageRoutes,
  Sweeper,
];

async function open(
  settings: JobsSettings,
  buckets: LocalBuckets,
  urls: SignedUrls,
  clock: Clock,
  publicUrl: PublicUrl,
): Promise<StorageProviders> {
  const parts = { buckets, urls, publicUrl };
  const local = (name: ProviderName): StorageProvider => new LocalStorage(name, parts);
  return new StorageProviders({
    aws: (await openAwsBy(settings, clock)) ?? local('aws'),
    gcp: (await openGcpBy(settings, clock)) ?? local('gcp'),
    azure: (await openAzureBy(settings, clock)) ?? local('azure'),
  });
}
