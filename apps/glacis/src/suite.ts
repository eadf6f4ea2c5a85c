import { AgentListener, ManagerListener } from '@glacis/backends';
import { EstPort } from '@glacis/certificates';
import { loadKafkaSettings } from '@glacis/events';
import { ensureAdminToken, OpenApi } from '@glacis/gateway';
import { joinTokenOf, makeHost, openProgram, type Host, type Program } from '@glacis/host';
import { httpSettings } from '@glacis/http';
import { identitySettings, openIdentity } from '@glacis/identity';
import { waitFor } from '@glacis/runtime';
import { loadSettings } from '@glacis/settings';
import { startPostgres } from '@glacis/store';
import { openDataFolder, type DataFolder } from './data-folder.js';
import { servicesOf } from './services.js';
import type { SuiteSettings } from './settings.js';

/** Every service in one process, ready for calls. */
export interface Suite {
  /** `http://host:port` of the door. */
  door: string;
  /** `host:port` that managers dial. */
  managers: string;
  /** `host:port` that agents of confidential VMs dial. */
  agents: string;
  /** `host:port` where hosts enrol and renew. */
  enrolment: string;
  dataFolder: DataFolder;
  /** Ends streams and requests, then the database. At most 30 s (`backends.md` 6). */
  stop(): Promise<void>;
}

/**
 * Starts the suite: the database (embedded unless one is named), the services, the door.
 * @throws {DataFolderInUseError} when another process has the data folder
 */
export async function startSuite(settings: SuiteSettings): Promise<Suite> {
  const joinToken = await joinTokenOf(settings);
  const host = { ...makeHost('glacis', settings, settings.databaseUrl ?? ''), joinToken };
  host.metrics.observeProcess();
  const database = settings.databaseUrl
    ? { url: settings.databaseUrl, stop: async () => undefined }
    : await startPostgres({ dataDir: settings.dataDir, logger: host.logger });
  try {
    const dataFolder = await openDataFolder(settings.dataDir);
    const program = await open(settings, dataFolder, { ...host, databaseUrl: database.url });
    const stop = async (): Promise<void> => {
      await program.stop();
      await database.stop();
    };
    const at = ({ port }: { port: number | undefined }): string => `${settings.host}:${port}`;
    return {
      door: program.url,
      managers: at(program.app.get(ManagerListener, { strict: false })),
      agents: at(program.app.get(AgentListener, { strict: false })),
      enrolment: at(program.app.get(EstPort, { strict: false })),
      dataFolder,
      stop,
    };
  } catch (error) {
    await database.stop();
    throw error;
  }
}

/** The suite's services in this process, ready for calls, on the database of the host. */
export async function open(
  settings: SuiteSettings,
  dataFolder: DataFolder,
  host: Host,
): Promise<Program> {
  const identity = openIdentity({
    settings: loadSettings(identitySettings),
    logger: host.logger,
    makesTokens: true,
  });
  const program = await openProgram({
    host,
    services: servicesOf(settings, dataFolder),
    identity,
    kafka: loadKafkaSettings(),
    description: 'glacis embedded suite',
    apis: ['backends', 'certs', 'api', 'jobs'],
    http: { host: settings.host, port: settings.port, settings: loadSettings(httpSettings) },
    beforeListen: async (app) => {
      app.get(OpenApi, { strict: false }).attach(app);
      await ensureAdminToken(app, identity.verifier, dataFolder.adminTokenFile);
    },
  });
  try {
    await isReady(host);
    return program;
  } catch (error) {
    await program.stop();
    throw error;
  }
}

/** The manager stream opens only when `certificates` has issued its server certificate. */
async function isReady({ health }: Host): Promise<void> {
  const ready = async (): Promise<boolean> => (await health.ready()).status === 'ok';
  await waitFor(ready, { what: 'every dependency to be up', deadlineMs: 30_000 });
}
