import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@glacis/runtime';
import { temporaryFolder } from '@glacis/testbed';
import { openGcp } from '../../src/storage/gcp/gcp-storage.js';
import type { Subject } from './conformance.js';
import { permissionsOf } from '../cloud-roles.js';
import { GcsAccounts, type GcsAccount, type Grant, type Who } from './gcs-accounts.js';
import { GcsServer } from './gcs-server.js';

interface ServiceAccount extends GcsAccount {
  publicKey: KeyObject;
  /** As Google hands it out. */
  keyFile: string;
}

async function serviceAccount(name: string, grants: readonly Grant[]): Promise<ServiceAccount> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const email = `${name}@test.iam.gserviceaccount.com`;
  const keyFile = join(await temporaryFolder(), 'key.json');
  const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const key = { type: 'service_account', project_id: 'test', client_email: email, private_key };
  await writeFile(keyFile, JSON.stringify(key));
  return { email, publicKey, keyFile, grants };
}

export interface Gcs {
  server: GcsServer;
  options: Parameters<typeof openGcp>[0] & { janitorKeyFile: string; signerKeyFile: string };
  partyKeyFile: string;
}

/** As the administrator of a project binds the supplied roles. */
async function grantsOf(isolation: 'nominal' | 'account'): Promise<Record<Who, Grant[]>> {
  const roles = ['janitor', 'signer', 'reader'].map(permissionsOf);
  const [janitor = [], signer = [], reader = []] = await Promise.all(roles);
  if (isolation === 'nominal') {
    const policies = ['storage.buckets.getIamPolicy', 'storage.buckets.setIamPolicy'];
    return {
      janitor: [{ permissions: [...janitor, ...reader, ...policies] }],
      signer: [],
      party: [],
    };
  }
  return {
    janitor: [{ permissions: janitor }, { permissions: reader, buckets: 'glacis-out-' }],
    signer: [{ permissions: signer, buckets: 'glacis-' }],
    party: [{ permissions: reader, buckets: 'glacis-in-' }],
  };
}

/** A server with its accounts, and what a driver is told of them. */
export async function startGcs(isolation: 'nominal' | 'account'): Promise<Gcs> {
  const grants = await grantsOf(isolation);
  const janitor = await serviceAccount('janitor', grants.janitor);
  const signer = await serviceAccount('signer', grants.signer);
  const party = await serviceAccount('party', grants.party);
  const server = await GcsServer.start(new GcsAccounts({ janitor, signer, party }));
  const place = { project: 'test', location: 'EUROPE-WEST1', endpoint: server.url };
  const files = { janitorKeyFile: janitor.keyFile, signerKeyFile: signer.keyFile };
  return { server, options: { ...place, ...files, isolation }, partyKeyFile: party.keyFile };
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
