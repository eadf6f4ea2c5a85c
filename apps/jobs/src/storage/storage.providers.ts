import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { CLOCK, type Clock } from '@glacis/runtime';
import type { Provider } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { Secrets } from '../access/secrets.js';
import type { ProviderName } from '../jobs/job.entity.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { Leftovers } from './local/leftovers.js';
import { openAwsBy, openAzureBy, openGcpBy } from './clouds.js';
import { LocalBuckets } from './local/local-buckets.js';
import { LocalStorage } from './local/local-storage.js';
import { SignedUrls } from './local/signed-url.js';
import { StorageRoutes } from './local/storage.routes.js';
import type { StorageProvider } from './storage-provider.js';
import { StorageProviders } from './storage-providers.js';

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
    inject: [SETTINGS, LocalBuckets, SignedUrls, CLOCK, HttpAdapterHost],
  },
  Leftovers,
  StorageRoutes,
];

async function open(
  settings: JobsSettings,
  buckets: LocalBuckets,
  urls: SignedUrls,
  clock: Clock,
  host: HttpAdapterHost,
): Promise<StorageProviders> {
  const parts = { buckets, urls, publicUrl: () => settings.publicUrl ?? addressOf(host) };
  const local = (name: ProviderName): StorageProvider => new LocalStorage(name, parts);
  return new StorageProviders({
    aws: (await openAwsBy(settings, clock)) ?? local('aws'),
    gcp: (await openGcpBy(settings, clock)) ?? local('gcp'),
    azure: (await openAzureBy(settings, clock)) ?? local('azure'),
  });
}

/** Where this process listens, which in one process is the door. */
function addressOf({ httpAdapter }: HttpAdapterHost): string {
  const server = httpAdapter.getInstance<FastifyInstance>().server;
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
