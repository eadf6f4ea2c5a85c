import { loadSettings } from '@glacis/settings';
import { systemClock } from '@glacis/runtime';
import { jobsSettings } from '../settings.js';
import { openAwsBy, openAzureBy, openGcpBy } from './clouds.js';

const openBy = { aws: openAwsBy, gcp: openGcpBy, azure: openAzureBy };

const opened = (name: keyof typeof openBy, overrides: Record<string, string>) =>
  openBy[name](
    loadSettings(jobsSettings, { env: {}, overrides: { secretFile: 'none', ...overrides } }),
    systemClock,
  );

test.each([
  ['aws', { awsPartyCredentialsFile: '/f' }, 'AWS_REGION is missing'],
  ['aws', { awsRegion: 'r', awsIsolation: 'account' }, 'AWS_SIGNER_PROFILE is missing'],
  ['gcp', { gcpPartyKeyFile: '/f' }, 'GCP_PROJECT is missing'],
  ['gcp', { gcpProject: 'p', gcpIsolation: 'account' }, 'GCP_SIGNER_KEY_FILE is missing'],
  ['azure', { azureKeysFile: '/f' }, 'AZURE_ENDPOINTS is missing'],
  [
    'azure',
    { azureEndpoints: 'https://a.b', azureKeysFile: '/f', azureIsolation: 'account' },
    'AZURE_KEYS_FILE is for nominal isolation',
  ],
] as const)('jobs.md 10.3: %s with %j stops the start', async (name, overrides, why) => {
  await expect(opened(name, overrides)).rejects.toThrow(`GLACIS_JOBS_${why}`);
});
