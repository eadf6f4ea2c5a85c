import { createPublicKey } from 'node:crypto';
import { isIP } from 'node:net';
import type { TlsCredentials } from '@glacis/grpc';
import { generateKeys, privateKeyPem, toPem } from '@glacis/pki';
import { signingKey } from '../access/signing-key.js';
import { CertificateAuthority } from './certificate-authority.js';

const lifeMs = 10 * 365 * 86_400_000;

/**
 * A certificate for the port of agents, of the authority that the secret of the service stands for: what an agent was told
 * when it was started holds for every replica, and after a restart.
 * @param all names and addresses under which it is dialled
 */
export async function listenerCredentials(
  secret: Buffer,
  all: readonly string[],
): Promise<TlsCredentials> {
  const notAfter = new Date(Date.now() + lifeMs);
  const caKey = signingKey(secret, 'glacis-jobs-agents-ca-1');
  const ca = new CertificateAuthority({
    commonName: 'Agents listener',
    uri: 'spiffe://glacis.local',
    keys: { privateKey: caKey, publicKey: createPublicKey(caKey) },
    notAfter,
  });
  const { privateKey, publicKey } = await generateKeys('ECDSA-P256');
  const names = {
    ipAddresses: all.filter((name) => isIP(name) !== 0),
    dnsNames: all.filter((name) => isIP(name) === 0),
  };
  const leaf = ca.sign({ commonName: 'glacis jobs agents', publicKey, names, notAfter });
  return { key: privateKeyPem(privateKey), cert: toPem('CERTIFICATE', leaf), ca: ca.pem };
}
