import { readFile } from 'node:fs/promises';
import {
  BlobServiceClient,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
  type BlobSASSignatureValues,
  type UserDelegationKey,
} from '@azure/storage-blob';
import { DefaultAzureCredential } from '@azure/identity';
import type { Clock } from '@glacis/runtime';

export interface AzureOptions {
  /** `https://account.blob.core.windows.net` of the account of each party, in their order; fewer are used in turn. */
  endpoints: readonly string[];
  /** File with the key of each account, one a line in the same order; absent: identities, and delegated links. */
  keysFile?: string;
  isolation: 'nominal' | 'account';
}

/** One storage account, and how links to it are signed. */
export interface Account {
  service: BlobServiceClient;
  /** True: links carry the name of a stored policy, and end with it. */
  byKey: boolean;
  /** The query of a link. */
  sign(values: BlobSASSignatureValues, signal: AbortSignal): Promise<string>;
}

/** @throws {Error} when credentials are missing, as a provider must not turn into local folders by mistake */
export async function openAccounts(options: AzureOptions, clock: Clock): Promise<Account[]> {
  const { endpoints, keysFile } = options;
  if (keysFile === undefined) return delegated(endpoints, clock);
  const keys = (await readFile(keysFile, 'utf8')).split('\n').map((line) => line.trim());
  return endpoints.map((endpoint, i) => {
    const key = keys[i];
    if (!key) throw new Error(`${keysFile} has no key for ${endpoint}`);
    return keyed(endpoint, key);
  });
}

/** Path-style addresses, as stand-ins have, name the account in the path. */
function accountName(endpoint: string): string {
  const { hostname, pathname } = new URL(endpoint);
  return pathname.split('/')[1] || (hostname.split('.')[0] ?? '');
}

function keyed(endpoint: string, key: string): Account {
  const credential = new StorageSharedKeyCredential(accountName(endpoint), key);
  return {
    service: new BlobServiceClient(endpoint, credential),
    byKey: true,
    sign: async (values) => generateBlobSASQueryParameters(values, credential).toString(),
  };
}

const hourMs = 3_600_000;

async function delegated(endpoints: readonly string[], clock: Clock): Promise<Account[]> {
  const identity = new DefaultAzureCredential();
  await identity.getToken('https://storage.azure.com/.default');
  return endpoints.map((endpoint) => {
    const service = new BlobServiceClient(endpoint, identity);
    const name = accountName(endpoint);
    let kept: UserDelegationKey | undefined;
    /** A key that outlives the link. */
    const keyUntil = async (end: Date, abortSignal: AbortSignal): Promise<UserDelegationKey> => {
      if (kept === undefined || kept.signedExpiresOn < end) {
        const now = clock.now();
        const until = new Date(Math.max(end.getTime(), now.getTime()) + hourMs);
        kept = await service.getUserDelegationKey(now, until, { abortSignal });
      }
      return kept;
    };
    const sign: Account['sign'] = async (values, signal) => {
      const key = await keyUntil(values.expiresOn ?? clock.now(), signal);
      return generateBlobSASQueryParameters(values, key, name).toString();
    };
    return { service, byKey: false, sign };
  });
}
