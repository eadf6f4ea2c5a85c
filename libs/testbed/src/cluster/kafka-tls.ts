import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './command.js';
import { requireProgram } from './programs.js';

/** PEM files for a client of the brokers. */
export interface ClientTlsFiles {
  ca: string;
  cert: string;
  key: string;
}

export interface TlsFiles {
  /** The CA of clients and brokers. */
  ca: string;
  /** Key and certificate of the brokers. */
  keyStore: string;
  client: ClientTlsFiles;
}

/** A CA with one certificate for the brokers and one for a client, all for a day. */
export async function makeTlsFiles(folder: string): Promise<TlsFiles> {
  const openssl = await requireProgram('openssl', 'openssl');
  const at = (name: string): string => join(folder, name);
  const issue = async (name: string, subject: string, ...rest: string[]): Promise<void> => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const files = ['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)];
    const args = ['req', '-x509', ...key, ...files, '-subj', `/CN=${subject}`, '-days', '1'];
    await runCommand(openssl, [...args, ...rest]);
  };
  const byCa = [
    '-CA',
    at('ca.pem'),
    '-CAkey',
    at('ca.key'),
    '-addext',
    'basicConstraints=CA:FALSE',
  ];
  await issue('ca', 'test brokers CA');
  await issue('broker', 'broker', ...byCa, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost');
  await issue('client', 'client', ...byCa);
  const keyStore = at('broker-with-key.pem');
  const [key, certificate] = await Promise.all([
    readFile(at('broker.key')),
    readFile(at('broker.pem')),
  ]);
  await writeFile(keyStore, Buffer.concat([key, certificate]), { mode: 0o600 });
  const client = { ca: at('ca.pem'), cert: at('client.pem'), key: at('client.key') };
  return { ca: client.ca, keyStore, client };
}
