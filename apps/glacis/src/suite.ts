import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ManagerListener } from '@glacis/backends';
import { EventsServer } from '@glacis/events';
import { OpenApi } from '@glacis/gateway';
import { createHttpApp, httpSettings } from '@glacis/http';
import { RevokedTokens, TokenIssuer, TokenVerifier } from '@glacis/identity';
import { createLogger, Health, Metrics, Tracing } from '@glacis/observability';
import { waitFor } from '@glacis/runtime';
import { loadSettings } from '@glacis/settings';
import { startPostgres } from '@glacis/store';
import { about } from './about.js';
import { ensureAdminToken } from './admin-token.js';
import { openDataFolder, type DataFolder } from './data-folder.js';
import { GlacisModule } from './glacis.module.js';
import type { SuiteSettings } from './settings.js';

/** Every service in one process, ready for calls. */
export interface Suite {
  /** `http://host:port` of the door. */
  door: string;
  /** `host:port` that managers dial. */
  managers: string;
  dataFolder: DataFolder;
  /** Ends streams and requests, then the database. At most 30 s (`backends.md` 6). */
  stop(): Promise<void>;
}

/**
 * Starts the suite: the database (embedded unless one is named), the services, the door.
 * @throws {DataFolderInUseError} when another process has the data folder
 */
export async function startSuite(settings: SuiteSettings): Promise<Suite> {
  const logger = createLogger({ name: 'glacis', level: settings.logLevel });
  const database = settings.databaseUrl
    ? { url: settings.databaseUrl, stop: async () => undefined }
    : await startPostgres({ dataDir: settings.dataDir, logger });
  try {
    const dataFolder = await openDataFolder(settings.dataDir);
    const tracing = new Tracing({ service: 'glacis', endpoint: settings.traceEndpoint });
    const observed = { logger, metrics: new Metrics(), health: new Health(), tracing };
    const host = { ...observed, databaseUrl: database.url };
    const app = await open(settings, dataFolder, host);
    const stop = async (): Promise<void> => {
      await app.close();
      await tracing.close();
      await database.stop();
    };
    const { port } = app.get(ManagerListener, { strict: false });
    return { door: doorOf(app, settings), managers: `${settings.host}:${port}`, dataFolder, stop };
  } catch (error) {
    await database.stop();
    throw error;
  }
}

async function open(
  settings: SuiteSettings,
  dataFolder: DataFolder,
  host: Parameters<typeof GlacisModule.forRoot>[0]['host'],
): Promise<NestFastifyApplication> {
  const issuer = await TokenIssuer.open(dataFolder.issuerDir);
  const revoked = new RevokedTokens();
  const verifier = new TokenVerifier({ issuers: [issuer.trusted()], revoked });
  const identity = { issuer, verifier, revoked };
  const app = await createHttpApp(GlacisModule.forRoot({ settings, dataFolder, host, identity }), {
    ...host,
    about: about('glacis embedded suite'),
    apis: ['backends', 'certs'],
    settings: loadSettings(httpSettings),
    authenticate: (authorization) => verifier.verify(authorization),
  });
  try {
    app.connectMicroservice({ strategy: app.get(EventsServer) });
    await app.startAllMicroservices();
    app.get(OpenApi, { strict: false }).attach(app);
    await ensureAdminToken(app, verifier, dataFolder.adminTokenFile);
    await app.listen(settings.port, settings.host);
    await isReady(host.health);
    return app;
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** The manager stream opens only when `certificates` has issued its server certificate. */
async function isReady(health: Health): Promise<void> {
  const ready = async (): Promise<boolean> => (await health.ready()).status === 'ok';
  await waitFor(ready, { what: 'every dependency to be up', deadlineMs: 30_000 });
}

function doorOf(app: NestFastifyApplication, { host }: SuiteSettings): string {
  const { port } = app.getHttpServer().address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
