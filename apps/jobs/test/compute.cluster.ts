import { randomUUID } from 'node:crypto';
import {
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeSecurityGroupsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { startEc2, type Ec2Emulator } from '@glacis/testbed/cluster';
import { AwsCompute } from '../src/compute/aws/aws-compute.js';
import { computeConformance, computeFaults, type FaultySubject } from './compute/conformance.js';
import { MotoFront } from './compute/moto-front.js';

const region = 'eu-west-1';
const credentials = { accessKeyId: 'AKID', secretAccessKey: 'a secret' };
const machine = { installation: 'glacis', confidential: true, price: null, everyMs: 5 };
let moto: Ec2Emulator;

beforeAll(async () => {
  moto = await startEc2();
});
afterAll(() => moto?.stop());

async function openMoto(): Promise<FaultySubject> {
  const server = await new MotoFront(moto, credentials, region).start();
  const ec2 = new EC2Client({ region, credentials, endpoint: server.url });
  const options = { ...machine, region, image: 'ami-1', type: 'm6a.large' };
  return {
    provider: new AwsCompute(options, ec2),
    coordinator: 'https://jobs.example.org:5001',
    server,
    startMs: 5_000,
    running: async () => server.machines(),
    close: () => server.stop(),
  };
}

computeConformance('EC2 by moto', openMoto);
computeFaults('EC2 by moto', openMoto);

test('jobs.md 10.3: what a machine is asked for with arrives as it is meant', async () => {
  const subject = await openMoto();
  const { provider, coordinator } = subject;
  const expires = new Date('2026-11-23T00:00:00Z');
  const instance = {
    tags: { job: randomUUID(), party: 2, attempt: 1, expires },
    runId: randomUUID(),
    token: 'one-time',
    config: { coordinator, coordinator_ca: 'pem' },
  };
  const { ref } = await provider.ensureInstance(instance, { timeoutMs: 30_000 });
  const ec2 = new EC2Client({ region, credentials, endpoint: moto.url });
  const InstanceId = String(ref.id);
  const { Reservations } = await ec2.send(
    new DescribeInstancesCommand({ InstanceIds: [InstanceId] }),
  );
  expect(Reservations?.flatMap(({ Instances = [] }) => Instances)).toMatchObject([
    {
      InstanceId,
      ClientToken: instance.runId,
      InstanceType: 'm6a.large',
      MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
      PublicIpAddress: expect.any(String),
    },
  ]);
  const Filters = [{ Name: 'tag:glacis-job', Values: [instance.tags.job] }];
  const { SecurityGroups } = await ec2.send(new DescribeSecurityGroupsCommand({ Filters }));
  expect(SecurityGroups).toMatchObject([{ IpPermissions: [{ FromPort: 7443, ToPort: 7443 }] }]);
  const attribute = { InstanceId, Attribute: 'userData' } as const;
  const { UserData } = await ec2.send(new DescribeInstanceAttributeCommand(attribute));
  const told = Buffer.from(UserData?.Value ?? '', 'base64').toString();
  expect(told).toContain('GLACIS_AGENT_TOKEN=one-time');
  await moto.reset();
  await subject.close();
});
