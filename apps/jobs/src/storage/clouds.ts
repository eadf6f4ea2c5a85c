import type { Clock } from '@glacis/runtime';
import type { JobsSettings } from '../settings.js';
import type { StorageProvider } from './storage-provider.js';

// The clients are large, and nobody pays for those of a cloud that is not set up: each is loaded here and nowhere else.

/** S3, if a region is set. */
export async function openAwsBy(
  settings: JobsSettings,
  clock: Clock,
): Promise<StorageProvider | undefined> {
  const { awsRegion: region, awsEndpoint: endpoint, awsIsolation: isolation } = settings;
  const { awsJanitorProfile: janitorProfile, awsSignerProfile: signerProfile } = settings;
  const { awsPartyCredentialsFile: partyFile } = settings;
  if (region === undefined)
    return unset({ endpoint, janitorProfile, signerProfile, partyFile }, 'AWS_REGION');
  if (isolation === 'account') checkApart(signerProfile, 'AWS_SIGNER_PROFILE');
  const { openAws } = await import('./aws/aws-storage.js');
  return openAws({ region, endpoint, janitorProfile, signerProfile, isolation }, clock);
}

/** Cloud Storage, if a project is set. */
export async function openGcpBy(
  settings: JobsSettings,
  clock: Clock,
): Promise<StorageProvider | undefined> {
  const { gcpProject: project, gcpLocation: location, gcpEndpoint: endpoint } = settings;
  const { gcpJanitorKeyFile: janitorKeyFile, gcpSignerKeyFile: signerKeyFile } = settings;
  const { gcpIsolation: isolation, gcpPartyKeyFile: partyKeyFile } = settings;
  if (project === undefined)
    return unset({ endpoint, janitorKeyFile, signerKeyFile, partyKeyFile }, 'GCP_PROJECT');
  if (isolation === 'account') checkApart(signerKeyFile, 'GCP_SIGNER_KEY_FILE');
  const { openGcp } = await import('./gcp/gcp-storage.js');
  const files = { janitorKeyFile, signerKeyFile };
  return openGcp({ project, location, endpoint, ...files, isolation }, clock);
}

/** Azure Blob Storage, if accounts are set. */
export async function openAzureBy(
  settings: JobsSettings,
  clock: Clock,
): Promise<StorageProvider | undefined> {
  const {
    azureEndpoints: endpoints,
    azureKeysFile: keysFile,
    azureIsolation: isolation,
  } = settings;
  if (!endpoints?.length) return unset({ keysFile }, 'AZURE_ENDPOINTS');
  if (isolation === 'account' && keysFile !== undefined)
    throw new Error('GLACIS_JOBS_AZURE_KEYS_FILE is for nominal isolation: keys read everything');
  const { openAzure } = await import('./azure/azure-storage.js');
  return openAzure({ endpoints, keysFile, isolation }, clock);
}

/** Under `account` who signs uploads is not who lists and deletes (jobs.md 10.3). */
function checkApart(signer: string | undefined, name: string): void {
  if (signer === undefined)
    throw new Error(`GLACIS_JOBS_${name} is missing: under account the signer is not the janitor`);
}

/** Half a configuration must not become local folders without a word (jobs.md 10.3). */
export function unset(others: Record<string, string | undefined>, missing: string): undefined {
  const given = Object.values(others).some((value) => value !== undefined);
  if (given)
    throw new Error(`GLACIS_JOBS_${missing} is missing beside other settings of its cloud`);
}
