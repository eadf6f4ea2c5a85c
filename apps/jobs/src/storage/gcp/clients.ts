import { Storage } from '@google-cloud/storage';

export interface GcpOptions {
  project: string;
  /** Where buckets lie, as `EUROPE-WEST1`. */
  location: string;
  /** Of a stand-in; absent: that of Google. */
  endpoint?: string;
  /** Key file of the service account that makes, lists and deletes; absent: what the environment or the instance gives. */
  janitorKeyFile?: string;
  /** The same for signing uploads; absent: that of the janitor. */
  signerKeyFile?: string;
  isolation: 'nominal' | 'account';
}

export interface Clients {
  /** Makes, lists and deletes. */
  janitor: Storage;
  /** May create objects and nothing else. */
  signer: Storage;
  /** The signer as policies name it. */
  signerMember: string;
}

/** @throws {Error} when credentials are missing, as a provider must not turn into local folders by mistake */
export async function openClients(options: GcpOptions): Promise<Clients> {
  const { janitorKeyFile, signerKeyFile = janitorKeyFile } = options;
  const [janitor, signer] = [client(options, janitorKeyFile), client(options, signerKeyFile)];
  await janitor.authClient.getCredentials();
  const { client_email: email } = await signer.authClient.getCredentials();
  if (!email) throw new Error('the credentials name no service account, which links are signed by');
  return { janitor, signer, signerMember: `serviceAccount:${email}` };
}

function client({ project, endpoint }: GcpOptions, keyFilename: string | undefined): Storage {
  return new Storage({
    projectId: project,
    ...(keyFilename !== undefined && { keyFilename }),
    ...(endpoint !== undefined && { apiEndpoint: endpoint }),
    retryOptions: { maxRetries: 3, totalTimeout: 30 },
  });
}
