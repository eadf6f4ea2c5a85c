// Whole jobs whose shares and results lie with servers of three clouds; the parties are processes of this machine.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@glacis/testbed';
import { startAzure, startS3, type AzureServer, type S3Server } from '@glacis/testbed/cluster';
import type { ProviderName } from '../src/jobs/job.entity.js';
import { StorageProviders } from '../src/storage/storage-providers.js';
import { Stand } from './stand.js';
import { startGcs, type Gcs } from './storage/gcs.js';
import { endOf, example, expectedOf, prepared, rowsByCity, submit } from './story.js';

let s3: S3Server;
let azure: AzureServer;
let gcs: Gcs;
/** What tells a service of the buckets of each provider. */
let settings: Record<ProviderName, Record<string, string>>;
const credentialsFile = process.env.AWS_SHARED_CREDENTIALS_FILE;

beforeAll(async () => {
  [s3, azure, gcs] = await Promise.all([startS3(), startAzure(), startGcs('nominal')]);
  const folder = await temporaryFolder();
  const [profiles, keysFile] = [join(folder, 'credentials'), join(folder, 'keys')];
  const { accessKeyId, secretAccessKey } = s3.root;
  const keys = `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}`;
  await writeFile(profiles, `[janitor]\n${keys}\n`);
  await writeFile(keysFile, azure.keys.join('\n'));
  process.env.AWS_SHARED_CREDENTIALS_FILE = profiles;
  const { options } = gcs;
  settings = {
    aws: { awsRegion: s3.region, awsEndpoint: s3.url, awsJanitorProfile: 'janitor' },
    gcp: {
      gcpProject: options.project,
      gcpEndpoint: gcs.server.url,
      gcpJanitorKeyFile: options.janitorKeyFile,
      gcpSignerKeyFile: options.signerKeyFile,
    },
    azure: { azureEndpoints: azure.endpoints.join(','), azureKeysFile: keysFile },
  };
});
afterAll(async () => {
  if (credentialsFile === undefined) delete process.env.AWS_SHARED_CREDENTIALS_FILE;
  else process.env.AWS_SHARED_CREDENTIALS_FILE = credentialsFile;
  await Promise.allSettled([s3?.stop(), azure?.stop(), gcs?.server.stop()]);
});

/** From create to the opened rows, uploads and results by links of the providers; the drivers of the parties' buckets. */
async function wholeJob(clouds: readonly ProviderName[]): Promise<string[]> {
  const ofClouds = Object.assign({}, ...clouds.map((name) => settings[name]));
  const stand = await Stand.start({ settings: { auth: 'open', ...ofClouds } });
  try {
    const job = await prepared(stand.program);
    expect(await submit(stand.program, job)).toMatchObject({ status: 200 });
    const { body } = await endOf(stand.program, job);
    expect(body).toMatchObject({ status: 'Success', execution: 'local', teardown: 'done' });
    expect(await rowsByCity(body.result)).toEqual(expectedOf(example));
    const storage = stand.get(StorageProviders);
    const names: ProviderName[] = ['aws', 'gcp', 'azure'];
    const found = names.map(async (name) => {
      const buckets = await storage.of(name).listByTag({ job: job.id }, { timeoutMs: 30_000 });
      return buckets.map(() => storage.of(name).driver);
    });
    return (await Promise.all(found)).flat();
  } finally {
    await stand.stop();
  }
}

test('jobs.md 10.3: a job of three clouds: shares and results lie with each of them, and its rows are opened', async () => {
  const lie = ['aws', 'aws', 'gcp', 'gcp', 'azure', 'azure'];
  expect(await wholeJob(['aws', 'gcp', 'azure'])).toEqual(lie);
});

test('jobs.md 6.2: a job of a cloud and two sealed folders: only who has a folder makes a key before', async () => {
  expect((await wholeJob(['azure'])).filter((driver) => driver === 'azure')).toHaveLength(2);
});
