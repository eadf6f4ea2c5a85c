import type { TLSSocket } from 'node:tls';
import { status } from '@grpc/grpc-js';
import type { CertificatesRpc, ResolvedCertificate } from '@glacis/contracts';
import { readCertificate } from '@glacis/pki';
import { RpcError } from '../rpc-error.js';

/**
 * The service that is at the other end of a verified connection.
 * @throws {RpcError} UNAUTHENTICATED when its certificate is revoked, expired or not ours, PERMISSION_DENIED when it
 *   is no service's, UNAVAILABLE when that cannot be told
 */
export async function callerOf(
  socket: TLSSocket,
  resolve: CertificatesRpc['resolve'],
): Promise<string> {
  const presented = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  if (presented === undefined) throw unauthenticated();
  // OpenSSL writes serials as upper-case hex; everywhere else they are decimal text.
  const serialNumber = BigInt(`0x${presented.serialNumber}`).toString();
  const known = await resolve({ serialNumber }).catch(asUnresolved);
  const fingerprint = presented.fingerprint256.replaceAll(':', '').toLowerCase();
  if (known.status !== 'valid' || known.fingerprintSha256 !== fingerprint) throw unauthenticated();
  if (known.entityType !== 'service') {
    throw new RpcError(status.PERMISSION_DENIED, 'forbidden', 'for services only');
  }
  return known.entityId;
}

/**
 * True when the certificate (DER) names that service. A name of ours in it is not enough: with
 * `GLACIS_CERTS_ALLOW_LOOPBACK` any leaf may be a server at localhost.
 */
export function namesService(certificate: Buffer, service: string): boolean {
  return readCertificate(certificate).uris.some((uri) => {
    const [, type, id] = /^spiffe:\/\/[^/]+\/tenant\/[^/]+\/([^/]+)\/([^/]+)$/.exec(uri) ?? [];
    return type === 'service' && id === service;
  });
}

const unauthenticated = (): RpcError =>
  new RpcError(status.UNAUTHENTICATED, 'unauthenticated', 'the certificate does not hold');

function asUnresolved(error: unknown): ResolvedCertificate {
  if (error instanceof RpcError && error.code === status.NOT_FOUND) throw unauthenticated();
  throw new RpcError(status.UNAVAILABLE, 'unavailable', 'the certificate cannot be checked', {
    cause: error,
  });
}
