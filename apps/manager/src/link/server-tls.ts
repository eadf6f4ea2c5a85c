import { readFile } from 'node:fs/promises';
import type { ManagerClientOptions } from '@glacis/grpc';
import type { IdentityStore } from '../enrolment/identity.js';
import { StartRefusedError } from '../refusal.js';
import type { ManagerSettings } from '../settings.js';

type Upstream = ManagerSettings['upstream'];

/** The files as they are now: a renewed certificate counts from the next connection on. Undefined for plaintext. */
export type ReadTls = () => Promise<ManagerClientOptions['tls']>;

export interface TlsSource {
  read: ReadTls;
  /** The certificate came by enrolment, so renewing it is ours. */
  enrolled: boolean;
}

/**
 * Where certificate, key and roots come from: the files that the settings name, else what `manager enrol` has left.
 * @throws {StartRefusedError} when the settings do not hold together or a file cannot be read
 */
export async function tlsSource(settings: Upstream, store: IdentityStore): Promise<TlsSource> {
  checkTlsSettings(settings);
  try {
    const { grpcClientCert, grpcInsecure } = settings;
    if (grpcClientCert === undefined && !grpcInsecure && (await store.read())) {
      return { read: () => store.read(), enrolled: true };
    }
    checkFiles(settings);
    await readFiles(settings);
    return { read: () => readFiles(settings), enrolled: false };
  } catch (error) {
    if (error instanceof StartRefusedError) throw error;
    throw new StartRefusedError(`certificate files: ${(error as Error).message}`);
  }
}

function checkTlsSettings({ grpcAttestedTls, grpcClientCert, grpcClientKey }: Upstream): void {
  if (grpcAttestedTls) {
    throw new StartRefusedError('MANAGER_GRPC_ATTESTED_TLS: attested TLS is not supported');
  }
  if ((grpcClientCert === undefined) !== (grpcClientKey === undefined)) {
    throw new StartRefusedError('MANAGER_GRPC_CLIENT_CERT and _CLIENT_KEY go together');
  }
}

function checkFiles({ grpcClientCert, grpcServerCaCerts, grpcInsecure }: Upstream): void {
  const pair = grpcClientCert !== undefined;
  if (pair && grpcServerCaCerts === undefined) {
    throw new StartRefusedError(
      'MANAGER_GRPC_SERVER_CA_CERTS is missing: nobody checks the server',
    );
  }
  if (!pair && grpcServerCaCerts !== undefined) {
    throw new StartRefusedError('MANAGER_GRPC_CLIENT_CERT is missing: mutual TLS needs it');
  }
  if (!pair && !grpcInsecure) {
    throw new StartRefusedError(
      'no certificate: run `manager enrol`, set MANAGER_GRPC_CLIENT_CERT, _CLIENT_KEY and _SERVER_CA_CERTS, or MANAGER_GRPC_INSECURE=true for plaintext',
    );
  }
}

async function readFiles(settings: Upstream): ReturnType<ReadTls> {
  const { grpcClientCert, grpcClientKey, grpcServerCaCerts } = settings;
  if (!grpcClientCert || !grpcClientKey || !grpcServerCaCerts) return undefined;
  const [ca, cert, key] = await Promise.all(
    [grpcServerCaCerts, grpcClientCert, grpcClientKey].map((file) => readFile(file, 'utf8')),
  );
  return { ca: ca ?? '', cert: cert ?? '', key: key ?? '' };
}
