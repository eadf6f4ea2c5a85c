import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCertificateAuthority, type CertificateFiles } from './certificate-authority.js';

/** PEM files for a client of the brokers. */
export interface ClientTlsFiles extends CertificateFiles {
  ca: string;
}

export interface TlsFiles {
  /** The CA of clients and brokers. */
  ca: string;
  /** Key and certificate of the brokers. */
  keyStore: string;
  client: ClientTlsFiles;
}

/** A CA with one certificate for the brokers and one for a client. */
export async function makeTlsFiles(folder: string): Promise<TlsFiles> {
  const authority = await makeCertificateAuthority(folder, '/CN=test brokers CA');
  const names = ['IP:127.0.0.1', 'DNS:localhost'];
  const broker = await authority.issue('broker', '/CN=broker', names);
  const client = await authority.issue('client', '/CN=client');
  const keyStore = join(folder, 'broker-with-key.pem');
  const [key, certificate] = await Promise.all([readFile(broker.key), readFile(broker.cert)]);
  await writeFile(keyStore, Buffer.concat([key, certificate]), { mode: 0o600 });
  const ca = authority.cert;
  return { ca, keyStore, client: { ca, ...client } };
}
