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
import { LocalBuckets } from './local/local-buckets.js';
import { LocalStorage } from './local/local-storage.js';
import { SignedUrls } from './local/signed-url.js';
import { StorageRoutes } from './local/storage.routes.js';
import type { StorageProvider } from './storage-provider.js';
import { StorageProviders } from './storage-providers.js';

const names: readonly ProviderName[] = ['aws', 'gcp', 'azure'];

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
    inject: [SETTINGS, LocalBuckets, SignedUrls, HttpAdapterHost],
  },
  Leftovers,
  StorageRoutes,
];

function open(
  { publicUrl }: JobsSettings,
  buckets: LocalBuckets,
  urls: SignedUrls,
  host: HttpAdapterHost,
): StorageProviders {
  const parts = { buckets, urls, publicUrl: () => publicUrl ?? addressOf(host) };
  const local = (name: ProviderName): [ProviderName, StorageProvider] => [
    name,
    new LocalStorage(name, parts),
  ];
  return new StorageProviders(new Map(names.map(local)));
}

/** Where this process listens, which in one process is the door. */
function addressOf({ httpAdapter }: HttpAdapterHost): string {
  const server = httpAdapter.getInstance<FastifyInstance>().server;
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
