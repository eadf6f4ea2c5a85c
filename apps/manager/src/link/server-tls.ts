import { readFile } from 'node:fs/promises';
import type { ManagerClientOptions } from '@glacis/grpc';
import { StartRefusedError } from '../refusal.js';
import type { ManagerSettings } from '../settings.js';

type Upstream = ManagerSettings['upstream'];

/** Checks what the TLS settings ask for. @throws {StartRefusedError} */
export function checkTlsSettings(settings: Upstream): void {
  const { grpcClientCert, grpcClientKey, grpcServerCaCerts, grpcInsecure } = settings;
  if (settings.grpcAttestedTls) {
    throw new StartRefusedError('MANAGER_GRPC_ATTESTED_TLS: attested TLS is not supported');
  }
  if ((grpcClientCert === undefined) !== (grpcClientKey === undefined)) {
    throw new StartRefusedError('MANAGER_GRPC_CLIENT_CERT and _CLIENT_KEY go together');
  }
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
      'no certificate: set MANAGER_GRPC_CLIENT_CERT, _CLIENT_KEY and _SERVER_CA_CERTS, or MANAGER_GRPC_INSECURE=true for plaintext',
    );
  }
}

/** The files as they are now: a renewed certificate counts from the next connection on. Undefined for plaintext. */
export async function readTls(settings: Upstream): Promise<ManagerClientOptions['tls']> {
  const { grpcClientCert, grpcClientKey, grpcServerCaCerts } = settings;
  if (!grpcClientCert || !grpcClientKey || !grpcServerCaCerts) return undefined;
  const [ca, cert, key] = await Promise.all(
    [grpcServerCaCerts, grpcClientCert, grpcClientKey].map((file) => readFile(file, 'utf8')),
  );
  return { ca: ca ?? '', cert: cert ?? '', key: key ?? '' };
}
