import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { createHttpApp, httpSettings } from '@glacis/http';
import { createLogger, Health, LOGGER, Metrics, Tracing } from '@glacis/observability';
import { CLOCK, ManualClock } from '@glacis/runtime';
import { loadSettings } from '@glacis/settings';
import { temporaryFolder } from '@glacis/testbed';
import { Module, type DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Secrets } from '../../src/access/secrets.js';
import { PublicUrl } from '../../src/public-url.js';
import { SETTINGS } from '../../src/settings.js';
import { LocalBuckets } from '../../src/storage/local/local-buckets.js';
import { storageProviders } from '../../src/storage/storage.providers.js';
import { Sweeper } from '../../src/storage/sweeper.js';
import { StorageProviders } from '../../src/storage/storage-providers.js';

export interface LocalStand {
  app: NestFastifyApplication;
  /** `http://host:port` */
  url: string;
  /** Where buckets lie. */
  folder: string;
  clock: ManualClock;
  providers: StorageProviders;
  buckets: LocalBuckets;
  log(): string;
  close(): Promise<void>;
}

@Module({})
class StorageModule {}

/**
 * Local buckets behind their routes, without the rest of the service.
 * @param requestTimeout milliseconds that requests have which are no uploads
 */
export async function openLocal(requestTimeout = 60_000): Promise<LocalStand> {
  const folder = await temporaryFolder();
  const clock = new ManualClock(new Date());
  const lines: string[] = [];
  const logger = createLogger({
    name: 'test',
    level: 'debug',
    destination: { write: (line: string) => void lines.push(line) },
  });
  const secret = randomBytes(32);
  const root: DynamicModule = {
    module: StorageModule,
    providers: [
      { provide: SETTINGS, useValue: { dataDir: folder } },
      { provide: Secrets, useValue: { current: secret, accepted: [secret] } },
      { provide: CLOCK, useValue: clock },
      { provide: LOGGER, useValue: logger },
      PublicUrl,
      ...storageProviders.filter((each) => each !== Sweeper),
    ],
  };
  const tracing = new Tracing({ service: 'test' });
  const app = await createHttpApp(root, {
    logger,
    metrics: new Metrics(),
    health: new Health(),
    tracing,
    settings: { ...loadSettings(httpSettings, { env: {} }), requestTimeout },
    authenticate: () => {
      throw new Error('no route here asks for a token');
    },
    about: { version: '0', commit: '0', description: 'test', buildTime: '0', instanceId: '0' },
  });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return {
    app,
    url: `http://127.0.0.1:${port}`,
    folder: join(folder, 'buckets'),
    clock,
    providers: app.get(StorageProviders),
    buckets: app.get(LocalBuckets),
    log: () => lines.join(''),
    close: () => app.close(),
  };
}
