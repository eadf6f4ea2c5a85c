import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { EC2Client } from '@aws-sdk/client-ec2';
import { systemClock } from '@glacis/runtime';
import { temporaryFolder } from '@glacis/testbed';
import { AwsCompute } from '../src/compute/aws/aws-compute.js';
import { AzureCompute } from '../src/compute/azure/azure-compute.js';
import type { NewInstance } from '../src/compute/compute-provider.js';
import { openGcpCompute } from '../src/compute/gcp/gcp-compute.js';
import { LocalCompute } from '../src/compute/local/local-compute.js';
import { ArmServer } from './compute/arm-server.js';
import {
  computeConformance,
  computeFaults,
  type FaultySubject,
  type Subject,
} from './compute/conformance.js';
import { Ec2Server } from './compute/ec2-server.js';
import { GceServer } from './compute/gce-server.js';

const machine = { installation: 'glacis', confidential: true, price: null, everyMs: 5 };
const coordinator = 'https://jobs.example.org:5001';

async function openEc2(): Promise<FaultySubject & { server: Ec2Server }> {
  const credentials = { accessKeyId: 'AKID', secretAccessKey: 'a secret' };
  const server = await new Ec2Server(credentials).start();
  const region = 'eu-west-1';
  const ec2 = new EC2Client({ region, credentials, endpoint: server.url });
  const options = {
    ...machine,
    region,
    image: 'ami-1',
    type: 'm6a.large',
    identity: 'glacis-party',
  };
  const provider = new AwsCompute(options, ec2);
  return subjectOf(provider, server);
}

async function openGce(): Promise<FaultySubject & { server: GceServer }> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const server = await new GceServer(publicKey).start();
  const keyFile = join(await temporaryFolder(), 'key.json');
  const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const client_email = 'jobs@test.iam.gserviceaccount.com';
  await writeFile(keyFile, JSON.stringify({ type: 'service_account', client_email, private_key }));
  const place = { project: 'test', zone: 'europe-west1-b', endpoint: server.url, keyFile };
  const identity = 'party@test.iam.gserviceaccount.com';
  const image = 'global/images/glacis';
  const options = { ...machine, ...place, image, type: 'n2d-standard-2', identity };
  return subjectOf(await openGcpCompute(options, systemClock), server);
}

async function openArm(): Promise<FaultySubject & { server: ArmServer }> {
  const server = await new ArmServer('a token').start();
  const place = { subscription: 'test', location: 'westeurope', endpoint: server.url };
  const options = {
    ...machine,
    ...place,
    image: '/an/image',
    type: 'Standard_DC2as_v5',
    identity: '/a/managed/identity',
  };
  const provider = new AzureCompute(options, async () => ({ authorization: 'Bearer a token' }));
  return subjectOf(provider, server);
}

const subjectOf = <S extends Ec2Server | GceServer | ArmServer>(
  provider: Subject['provider'],
  server: S,
): FaultySubject & { server: S } => ({
  provider,
  coordinator,
  server,
  running: async () => server.machines(),
  close: () => server.stop(),
});

/** Agents find a coordinator that takes connections and says nothing, so that they stay. */
async function openLocal(): Promise<Subject> {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const provider = new LocalCompute({ folder: join(await temporaryFolder(), 'parties') });
  return {
    provider,
    coordinator: `https://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    running: () => provider.listByTag({}),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    },
  };
}

computeConformance('processes of this machine', openLocal);
for (const [name, open] of [
  ['EC2', openEc2],
  ['Compute Engine', openGce],
  ['Azure Resource Manager', openArm],
] as const) {
  computeConformance(`a stand-in for ${name}`, open);
  computeFaults(name, open);
}

const wish: NewInstance = {
  tags: {
    job: '0d2c0b0e-8d0b-4a53-9d55-6a4e7c8f1a11',
    party: 2,
    attempt: 1,
    expires: new Date('2026-11-23T00:00:00Z'),
  },
  runId: '6c1b7e1f-3f0e-4d43-8a8c-0f9f3f9b8a22',
  token: 'one-time',
  config: { coordinator, coordinator_ca: 'pem' },
};
const call = { timeoutMs: 30_000 };

test('jobs.md 10.3: aws: a confidential machine with its token, its tags, IMDSv2 and an end of its own', async () => {
  const { provider, server } = await openEc2();
  await provider.ensureInstance(wish, call);
  const request = server.requestOf(wish.runId);
  expect(Object.fromEntries(request ?? [])).toMatchObject({
    ClientToken: wish.runId,
    'CpuOptions.AmdSevSnp': 'enabled',
    'IamInstanceProfile.Name': 'glacis-party',
    'MetadataOptions.HttpTokens': 'required',
    InstanceInitiatedShutdownBehavior: 'terminate',
    'TagSpecification.1.ResourceType': 'instance',
    'TagSpecification.2.ResourceType': 'volume',
  });
  const told = Buffer.from(request?.get('UserData') ?? '', 'base64').toString();
  expect(told).toContain('GLACIS_AGENT_TOKEN=one-time');
  expect(told).toContain('X-aws-ec2-metadata-token');
  await server.stop();
});

test('jobs.md 10.3: gcp: a confidential machine that Compute Engine ends after its time', async () => {
  const { provider, server } = await openGce();
  await provider.ensureInstance(wish, call);
  expect(server.requestOf(wish.runId)).toMatchObject({
    name: `glacis-${wish.runId}`,
    confidentialInstanceConfig: { confidentialInstanceType: 'SEV_SNP' },
    serviceAccounts: [
      {
        email: 'party@test.iam.gserviceaccount.com',
        scopes: ['https://www.googleapis.com/auth/devstorage.read_only'],
      },
    ],
    scheduling: {
      maxRunDuration: { seconds: expect.any(Number) },
      instanceTerminationAction: 'DELETE',
    },
  });
  await server.stop();
});

test('jobs.md 10.1: gcp: a quota that only the operation tells of', async () => {
  const { provider, server } = await openGce();
  server.failing = 'QUOTA_EXCEEDED';
  const failed = provider.ensureInstance(wish, call);
  await expect(failed).rejects.toMatchObject({ code: 'quota', transient: false });
  await server.stop();
});

test('jobs.md 10.3: azure: a confidential machine, told by a secure parameter', async () => {
  const { provider, server } = await openArm();
  await provider.ensureInstance(wish, call);
  const { properties } = server.requestOf(wish.runId) as {
    properties: { template: { resources: object[]; parameters: object } };
  };
  const { template } = properties;
  expect(template.parameters).toEqual({ told: { type: 'secureString' } });
  expect(JSON.stringify(template)).not.toContain('one-time');
  expect(template.resources.at(-1)).toMatchObject({
    type: 'Microsoft.Compute/virtualMachines',
    identity: { type: 'UserAssigned', userAssignedIdentities: { '/a/managed/identity': {} } },
    properties: { securityProfile: { securityType: 'ConfidentialVM' } },
  });
  await server.stop();
});
