import { readFile } from 'node:fs/promises';
import {
  addHealth,
  addReflection,
  addVmManager,
  createGrpcServer,
  descriptorSets,
  listenMutualTls,
  maxVmMessageBytes,
  type TlsCredentials,
  type VmManager,
} from '@glacis/grpc';
import { ServerCredentials, type Server } from '@grpc/grpc-js';
import type { Log } from '../log.js';
import { StartRefusedError } from '../refusal.js';
import type { ManagerSettings } from '../settings.js';

type Upstream = ManagerSettings['upstream'];

export interface VmListener {
  port: number;
  /** Takes the certificate files as they are now, for the connections to come. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

/** Listens for the control plane, which calls us in generation B. @throws {StartRefusedError} */
export async function listenForCalls(
  settings: Upstream,
  manager: VmManager,
  log: Log,
): Promise<VmListener> {
  const server = createGrpcServer({ maxMessageBytes: maxVmMessageBytes });
  addVmManager(server, manager, (error, path) => log.error({ err: error, path }, 'call failed'));
  addHealth(server, ['manager.ManagerService']);
  await addReflection(server, [descriptorSets.managerOfVms, descriptorSets.health]);
  const files = filesOf(settings);
  return files === undefined
    ? listenInPlaintext(server, settings)
    : listenWithCertificates(server, settings, files);
}

interface Files {
  cert: string;
  key: string;
  ca: string;
}

/** Undefined for plaintext. @throws {StartRefusedError} */
function filesOf(settings: Upstream): Files | undefined {
  const { grpcServerCert: cert, grpcServerKey: key, grpcClientCaCerts: ca } = settings;
  if (cert && key && ca) return { cert, key, ca };
  if (cert || key || ca) {
    throw new StartRefusedError(
      'MANAGER_GRPC_SERVER_CERT, _SERVER_KEY and _CLIENT_CA_CERTS go together',
    );
  }
  if (settings.grpcInsecure) return undefined;
  throw new StartRefusedError(
    'no certificate: set MANAGER_GRPC_SERVER_CERT, _SERVER_KEY and _CLIENT_CA_CERTS, or MANAGER_GRPC_INSECURE=true for plaintext',
  );
}

async function listenWithCertificates(
  server: Server,
  { grpcHost: host, grpcPort: port }: Upstream,
  files: Files,
): Promise<VmListener> {
  let credentials = await read(files);
  const options = { host, port, server, credentials: () => credentials };
  const listener = await listenMutualTls(options);
  return {
    port: listener.port,
    renew: async () => {
      credentials = await read(files);
      listener.renew();
    },
    close: () => listener.close(),
  };
}

async function read({ cert, key, ca }: Files): Promise<TlsCredentials> {
  try {
    const [certPem = '', keyPem = '', caPem = ''] = await Promise.all(
      [cert, key, ca].map((file) => readFile(file, 'utf8')),
    );
    return { cert: certPem, key: keyPem, ca: caPem };
  } catch (error) {
    throw new StartRefusedError(`certificate files: ${(error as Error).message}`);
  }
}

function listenInPlaintext(server: Server, settings: Upstream): Promise<VmListener> {
  const address = `${settings.grpcHost}:${settings.grpcPort}`;
  const close = (): Promise<void> => Promise.resolve(server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error);
      else resolve({ port, renew: () => Promise.resolve(), close });
    });
  });
}
