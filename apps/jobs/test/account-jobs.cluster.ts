// A job whose in-buckets nobody but their parties may read: S3 enforces the supplied policies of IAM, Cloud Storage (a
// stand-in) the supplied roles. The parties are processes of this machine with credentials of their own.
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@glacis/testbed';
import { startS3, type S3Key, type S3Server } from '@glacis/testbed/cluster';
import { bucketName } from '../src/storage/names.js';
import { StorageProviders } from '../src/storage/storage-providers.js';
import { policyOf } from './cloud-roles.js';
import { Stand } from './stand.js';
import { startGcs, type Gcs } from './storage/gcs.js';
import { endOf, example, expectedOf, prepared, rowsByCity, submit } from './story.js';

const call = { timeoutMs: 30_000 };
let s3: S3Server;
let gcs: Gcs;
let keys: Record<'janitor' | 'signer' | 'party', S3Key>;
let folder: string;
let settings: Record<string, string>;
const credentialsFile = process.env.AWS_SHARED_CREDENTIALS_FILE;

const profile = (name: string, { accessKeyId, secretAccessKey }: S3Key): string =>
  `[${name}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;

/** A credentials file as the administrator gives it to a party. */
async function fileOf(key: S3Key): Promise<string> {
  const file = join(folder, `${key.accessKeyId}-credentials`);
  await writeFile(file, profile('default', key), { mode: 0o600 });
  return file;
}

beforeAll(async () => {
  [s3, gcs, folder] = await Promise.all([startS3(), startGcs('account'), temporaryFolder()]);
  const user = async (name: string): Promise<S3Key> => s3.addUser(name, [await policyOf(name)]);
  keys = {
    janitor: await user('janitor'),
    signer: await user('signer'),
    party: await user('party'),
  };
  const profiles = join(folder, 'credentials');
  await writeFile(profiles, profile('janitor', keys.janitor) + profile('signer', keys.signer));
  process.env.AWS_SHARED_CREDENTIALS_FILE = profiles;
  settings = {
    auth: 'open',
    awsRegion: s3.region,
    awsEndpoint: s3.url,
    awsIsolation: 'account',
    awsJanitorProfile: 'janitor',
    awsSignerProfile: 'signer',
    awsPartyCredentialsFile: await fileOf(keys.party),
    gcpProject: gcs.options.project,
    gcpEndpoint: gcs.server.url,
    gcpIsolation: 'account',
    gcpJanitorKeyFile: gcs.options.janitorKeyFile,
    gcpSignerKeyFile: gcs.options.signerKeyFile,
    gcpPartyKeyFile: gcs.partyKeyFile,
  };
});
afterAll(async () => {
  if (credentialsFile === undefined) delete process.env.AWS_SHARED_CREDENTIALS_FILE;
  else process.env.AWS_SHARED_CREDENTIALS_FILE = credentialsFile;
  await Promise.allSettled([s3?.stop(), gcs?.server.stop()]);
});

test('jobs.md 10.3: account: parties read their buckets by identities of their own, the service reads none', async () => {
  const stand = await Stand.start({ settings });
  try {
    const job = await prepared(stand.program);
    expect(await submit(stand.program, job)).toMatchObject({ status: 200 });
    const { body } = await endOf(stand.program, job);
    // Processes of the host of the service are told as what they are.
    expect(body).toMatchObject({ status: 'Success', isolation: 'process', teardown: 'done' });
    expect(await rowsByCity(body.result)).toEqual(expectedOf(example));
    expect([...gcs.server.accounts.used.party]).toEqual(['storage.objects.get']);

    const bucket = bucketName('glacis', 'in', job.id, 0);
    const storage = stand.get(StorageProviders).of('aws');
    const [pin] = await storage.list(bucket, '', call);
    const { key, version } = pin!;
    await expect(storage.read(pin!, call)).rejects.toMatchObject({ code: 'denied' });
    const readBy = async (credentials: S3Key): Promise<unknown> => {
      const place = { region: s3.region, endpoint: s3.url, forcePathStyle: true };
      const client = new S3Client({ ...place, credentials });
      const command = new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: version });
      return (await client.send(command)).ContentLength;
    };
    for (const own of [keys.janitor, keys.signer])
      await expect(readBy(own)).rejects.toMatchObject({ name: 'AccessDenied' });
    expect(await readBy(keys.party)).toBe(pin!.size);
  } finally {
    await stand.stop();
  }
});

test('jobs.md 8: a party whose cloud does not let it read says so in the validation', async () => {
  const awsPartyCredentialsFile = await fileOf(keys.signer);
  const stand = await Stand.start({ settings: { ...settings, awsPartyCredentialsFile } });
  try {
    const job = await prepared(stand.program);
    const refused = await submit(stand.program, job);
    expect(refused.body).toMatchObject({ error: 'Data validation failed' });
    const headers = { authorization: `Bearer ${job.token}` };
    const { body } = await stand.send('GET', `/jobs/${job.id}/validation`, { headers });
    expect(body.findings).toMatchObject([{ code: 'object_denied' }]);
  } finally {
    await stand.stop();
  }
});
