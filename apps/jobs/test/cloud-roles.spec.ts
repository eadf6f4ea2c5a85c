// What the supplied roles allow is what the drivers call under `account`, no less and no more (jobs.md 10.3).
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { EC2Client } from '@aws-sdk/client-ec2';
import { S3Client } from '@aws-sdk/client-s3';
import { AnonymousCredential, BlobServiceClient } from '@azure/storage-blob';
import { systemClock } from '@glacis/runtime';
import { temporaryFolder } from '@glacis/testbed';
import { AwsCompute } from '../src/compute/aws/aws-compute.js';
import { AzureCompute } from '../src/compute/azure/azure-compute.js';
import type { ComputeProvider, NewInstance } from '../src/compute/compute-provider.js';
import { openGcpCompute } from '../src/compute/gcp/gcp-compute.js';
import { AwsStorage } from '../src/storage/aws/aws-storage.js';
import { AzureStorage } from '../src/storage/azure/azure-storage.js';
import { openGcp } from '../src/storage/gcp/gcp-storage.js';
import { bucketName, policyKey, resultKey } from '../src/storage/names.js';
import type { BucketTags, StorageProvider } from '../src/storage/storage-provider.js';
import { writeTags } from '../src/storage/tags.js';
import { actionsOf, operationsOf, permissionsOf } from './cloud-roles.js';
import { ArmServer } from './compute/arm-server.js';
import type { Asked } from './compute/cloud-server.js';
import { Ec2Server } from './compute/ec2-server.js';
import { GceServer } from './compute/gce-server.js';
import { startGcs } from './storage/gcs.js';

const call = { timeoutMs: 30_000 };
const job = '0d2c0b0e-8d0b-4a53-9d55-6a4e7c8f1a11';
const [bucket, results] = [bucketName('glacis', 'in', job, 0), bucketName('glacis', 'out', job, 0)];
const tags: BucketTags = { job, party: 0, attempt: 1, expires: new Date('2099-01-01T00:00:00Z') };
const key = policyKey('dir', 1);

/** Everything that a service does with a provider, from the first bucket of a job to the last. */
async function wholeLife(provider: StorageProvider): Promise<void> {
  for (const name of [bucket, results])
    await provider.createBucket({ name, tags, sealKey: null }, call);
  const link = { bucket, key, expiresIn: 60, maxBytes: 2 };
  await provider.signUpload(link, call);
  await provider.put({ bucket, key, body: [Buffer.from('{}')], maxBytes: 2 }, call);
  await provider.freeze(bucket, call);
  await provider.unfreeze(bucket, call);
  await provider.list(bucket, '', call);
  await provider.deleteObject({ bucket, key }, call);
  const result = { bucket: results, key: resultKey(1) };
  await provider.put({ ...result, body: [Buffer.from('{}')], maxBytes: 2 }, call);
  const { stream } = await provider.read(result, call);
  await stream.toArray();
  await provider.signRead({ ...result, expiresIn: 60 }, call);
  await provider.listByTag({}, call);
  for (const name of [bucket, results]) await provider.deleteBucket(name, call);
}

const sorted = (all: Iterable<string>): string[] => [...new Set(all)].toSorted();

/** Actions of S3 by the name of a call, where they are called otherwise ("Actions, resources, and condition keys"). */
const actions: Record<string, string> = {
  DeleteObjects: 'DeleteObjectVersion',
  ListBuckets: 'ListAllMyBuckets',
  ListObjectVersions: 'ListBucketVersions',
  PutBucketCors: 'PutBucketCORS',
  PutBucketEncryption: 'PutEncryptionConfiguration',
  PutBucketLifecycleConfiguration: 'PutLifecycleConfiguration',
  PutPublicAccessBlock: 'PutBucketPublicAccessBlock',
};

test('jobs.md 10.3: aws: the policies of signer and janitor', async () => {
  const TagSet = Object.entries(writeTags(tags)).map(([Key, Value]) => ({ Key, Value }));
  const answers: Record<string, object> = {
    ListBuckets: { Buckets: [{ Name: bucket, CreationDate: new Date() }] },
    ListObjectVersions: { Versions: [{ Key: key, VersionId: '1', Size: 2 }] },
    GetBucketTagging: { TagSet },
    GetObject: { ContentLength: 0, Body: Readable.from([]) },
  };
  const client = (used: Set<string>): S3Client => {
    const s3 = new S3Client({
      region: 'eu-west-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    s3.middlewareStack.add(
      (_next, { commandName = '' }) =>
        async () => {
          const name = commandName.replace('Command', '');
          used.add(`s3:${actions[name] ?? name}`);
          return { output: { $metadata: {}, ...answers[name] }, response: {} };
        },
      // Links are made without a call: the signing of them comes before.
      { step: 'finalizeRequest', priority: 'low' },
    );
    return s3;
  };
  const used = { janitor: new Set<string>(), signer: new Set<string>() };
  const clients = { janitor: client(used.janitor), signer: client(used.signer) };
  const options = { region: 'eu-west-1', isolation: 'account' } as const;
  await wholeLife(new AwsStorage(options, clients, systemClock));
  expect(sorted(used.janitor)).toEqual(await actionsOf('janitor'));
  expect(sorted(used.signer)).toEqual(await actionsOf('signer'));
});

test('jobs.md 10.3: gcp: the roles of signer and janitor', async () => {
  const { server, options } = await startGcs('account');
  try {
    await wholeLife(await openGcp(options, systemClock));
    const { janitor, signer } = server.accounts.used;
    const reader = await permissionsOf('reader');
    expect(sorted(janitor)).toEqual(sorted([...(await permissionsOf('janitor')), ...reader]));
    expect(sorted(signer)).toEqual(await permissionsOf('signer'));
  } finally {
    await server.stop();
  }
});

const containers = 'Microsoft.Storage/storageAccounts/blobServices/containers';

/** The action that a call of the Blob service needs ("Authorize with Microsoft Entra ID", permissions for calling data operations). */
function actionOf(method: string, url: URL): string {
  const of = (name: string): string | null => url.searchParams.get(name);
  const verbs: Record<string, string> = { PUT: 'write', DELETE: 'delete' };
  if (of('restype') === 'container' && of('comp') !== 'list')
    return `${containers}/${verbs[method] ?? 'read'}`;
  if (url.pathname.split('/').length < 3 && of('restype') !== 'container')
    return `${containers}/read`;
  const onBlobs: Record<string, string> = { PUT: 'add/action', DELETE: 'delete' };
  return `${containers}/blobs/${onBlobs[method] ?? 'read'}`;
}

test('jobs.md 10.3: azure: the roles of signer and janitor, which are those of one identity', async () => {
  const used = new Set<string>();
  const metadata = Object.entries(writeTags(tags)).map(
    ([name, value]) => [`x-ms-meta-${name.replaceAll('-', '_')}`, value] as const,
  );
  const none = '<EnumerationResults><Blobs/><Containers/><NextMarker/></EnumerationResults>';
  const statuses: Record<string, number> = { PUT: 201, DELETE: 202 };
  const server = createServer(({ method = '', url = '' }, response) => {
    const asked = new URL(url, 'http://localhost');
    used.add(actionOf(method, asked));
    response.setHeaders(new Map([...metadata, ['etag', '1'], ['content-type', 'application/xml']]));
    response.statusCode = statuses[method] ?? 200;
    response.end(asked.searchParams.get('comp') === 'list' ? none : undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const sign = async (): Promise<string> => {
      used.add('Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action');
      return 'sig=x';
    };
    const service = new BlobServiceClient(endpoint, new AnonymousCredential());
    const options = { endpoints: [endpoint], isolation: 'account' } as const;
    await wholeLife(new AzureStorage(options, [{ service, byKey: false, sign }], systemClock));
  } finally {
    server.closeAllConnections();
    server.close();
  }
  const both = [...(await operationsOf('signer')), ...(await operationsOf('janitor'))];
  expect(sorted(used)).toEqual(sorted(both));
});

test('jobs.md 10.3: parties read and do nothing else, and nobody else reads inputs', async () => {
  expect(await actionsOf('party')).toEqual(['s3:GetObjectVersion']);
  expect(await permissionsOf('reader')).toEqual(['storage.objects.get']);
  expect(await operationsOf('party')).toEqual([`${containers}/blobs/read`]);
});

const wish: NewInstance = {
  tags,
  runId: '6c1b7e1f-3f0e-4d43-8a8c-0f9f3f9b8a22',
  token: 'one-time',
  config: { coordinator: 'https://jobs.example.org:5001', coordinator_ca: 'pem' },
};
const machine = {
  installation: 'glacis',
  confidential: true,
  price: null,
  everyMs: 5,
  identity: 'glacis-party',
};

/** From the start of a machine to its end. */
async function wholeRun(provider: ComputeProvider): Promise<void> {
  const { ref } = await provider.ensureInstance(wish, call);
  await provider.describe(ref, call);
  await provider.listByTag({}, call);
  await provider.terminate(ref, call);
  await provider.forget(job, call);
}

test('jobs.md 10.3: aws: the policy of whoever makes machines', async () => {
  const credentials = { accessKeyId: 'AKID', secretAccessKey: 'a secret' };
  const server = await new Ec2Server(credentials).start();
  const region = 'eu-west-1';
  const ec2 = new EC2Client({ region, credentials, endpoint: server.url });
  await wholeRun(new AwsCompute({ ...machine, region, image: 'ami-1', type: 'm6a.large' }, ec2));
  await server.stop();
  const used = server.heard.map(({ body }) => `ec2:${new URLSearchParams(body).get('Action')}`);
  // Asked for by RunInstances as well: tags, and the role of the party; and where a subnet is given, whose it is.
  const implied = ['ec2:CreateTags', 'ec2:DescribeSubnets', 'iam:PassRole'];
  expect(sorted([...used, ...implied])).toEqual(await actionsOf('machines'));
});

test('jobs.md 10.3: azure: the role of whoever makes machines', async () => {
  const server = await new ArmServer('a token').start();
  const place = { subscription: 'test', location: 'westeurope', endpoint: server.url };
  const options = { ...machine, ...place, image: '/an/image', type: 'Standard_DC2as_v5' };
  await wholeRun(new AzureCompute(options, async () => ({ authorization: 'Bearer a token' })));
  await server.stop();
  const verbs: Record<string, string> = { PUT: 'write', GET: 'read', DELETE: 'delete' };
  const used = server.heard.map(({ method, url }) => {
    const [, , , , , provider, type] = url.pathname.split('/').slice(1);
    const on = type ? `${provider}/${type}` : 'Microsoft.Resources/subscriptions/resourceGroups';
    return `${on}/${verbs[method]}`;
  });
  const deployed = server.heard.flatMap(({ method, body }) =>
    method === 'PUT' && body.includes('template') ? resourcesIn(body) : [],
  );
  // A deployment makes what its template names, in the name of whoever deploys; a deleted group takes it along.
  const made = deployed.flatMap((type) =>
    ['read', 'write', 'delete'].map((verb) => `${type}/${verb}`),
  );
  const role = await operationsOf('machines');
  const others = role.filter((each) => ![...used, ...made].includes(each));
  expect(role).toEqual(expect.arrayContaining(sorted([...used, ...made])));
  // Whatever else there is joins these to one another, or takes an image and an identity.
  for (const each of others)
    expect(each).toMatch(/\/(join|assign)\/action$|images\/.*read$|disks\/delete$/);
});

function resourcesIn(body: string): string[] {
  const { properties } = JSON.parse(body) as {
    properties: { template: { resources: { type: string }[] } };
  };
  return properties.template.resources.map(({ type }) => type);
}

test('jobs.md 10.3: gcp: the role of whoever makes machines', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const server = await new GceServer(publicKey).start();
  const keyFile = join(await temporaryFolder(), 'key.json');
  const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const client_email = 'jobs@test.iam.gserviceaccount.com';
  await writeFile(keyFile, JSON.stringify({ type: 'service_account', client_email, private_key }));
  const place = { project: 'test', zone: 'europe-west1-b', endpoint: server.url, keyFile };
  const options = { ...machine, ...place, image: 'global/images/glacis', type: 'n2d-standard-2' };
  await wholeRun(await openGcpCompute(options, systemClock));
  await server.stop();
  const used = server.heard.map(permissionOf);
  // Compute Engine asks for these where an instance or a rule is made ("Compute Engine IAM roles and permissions").
  const implied = [
    'disks.create',
    'images.useReadOnly',
    'instances.setLabels',
    'instances.setMetadata',
    'instances.setServiceAccount',
    'instances.setTags',
    'networks.updatePolicy',
    'subnetworks.use',
    'subnetworks.useExternalIp',
  ].map((name) => `compute.${name}`);
  expect(sorted([...used, ...implied])).toEqual(await permissionsOf('machines'));
});

function permissionOf({ method, url }: Asked): string {
  const path = url.pathname.replace('/compute/v1/projects/test', '');
  if (path.endsWith('/wait'))
    return `compute.${path.startsWith('/zones/') ? 'zone' : 'global'}Operations.get`;
  const [, kind, name] = /(instances|firewalls)\/?(.*)$/.exec(path) ?? [];
  const verbs: Record<string, string> = { POST: 'create', DELETE: 'delete' };
  return `compute.${kind}.${verbs[method] ?? (name ? 'get' : 'list')}`;
}
