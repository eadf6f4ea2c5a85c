import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@glacis/runtime';
import { temporaryFolder } from '@glacis/testbed';
import { openGcp } from '../../src/storage/gcp/gcp-storage.js';
import type { Subject } from './conformance.js';
import { GcsServer } from './gcs-server.js';

interface ServiceAccount {
  email: string;
  publicKey: KeyObject;
  /** As Google hands it out. */
  keyFile: string;
}

async function serviceAccount(name: string): Promise<ServiceAccount> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const email = `${name}@test.iam.gserviceaccount.com`;
  const keyFile = join(await temporaryFolder(), 'key.json');
  const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const key = { type: 'service_account', project_id: 'test', client_email: email, private_key };
  await writeFile(keyFile, JSON.stringify(key));
  return { email, publicKey, keyFile };
}

export interface Gcs {
  server: GcsServer;
  options: Parameters<typeof openGcp>[0] & { janitorKeyFile: string; signerKeyFile: string };
}

/** A server with a janitor and a signer, and what a driver is told of them. */
export async function startGcs(isolation: 'nominal' | 'account'): Promise<Gcs> {
  const [janitor, signer] = [await serviceAccount('janitor'), await serviceAccount('signer')];
  const creator = isolation === 'account' ? ['roles/storage.objectCreator'] : [];
  const server = await GcsServer.start(
    new Map([
      [janitor.email, { publicKey: janitor.publicKey, roles: ['roles/storage.admin'] }],
      [signer.email, { publicKey: signer.publicKey, roles: creator }],
    ]),
  );
  const place = { project: 'test', location: 'EUROPE-WEST1', endpoint: server.url };
  const files = { janitorKeyFile: janitor.keyFile, signerKeyFile: signer.keyFile };
  return { server, options: { ...place, ...files, isolation } };
}

export async function openGcs(isolation: 'nominal' | 'account'): Promise<Subject> {
  const { server, options } = await startGcs(isolation);
  return {
    provider: await openGcp(options, systemClock),
    // The official client signs nothing that would be over already.
    expired: async (sign, use) => {
      const signed = await sign();
      server.clock.advance(2 * 3_600_000);
      await use(signed);
      server.clock.advance(-2 * 3_600_000);
    },
    stored: 200,
    sealKey: null,
    plainIsCreateOnly: true,
    capsPlain: false,
    capsStrict: true,
    freezes: isolation === 'nominal',
    close: () => server.stop(),
  };
}
