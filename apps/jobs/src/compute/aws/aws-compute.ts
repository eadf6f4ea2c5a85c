import {
  EC2Client,
  paginateDescribeInstances,
  RunInstancesCommand,
  TerminateInstancesCommand,
  type Filter,
  type Instance as Ec2Instance,
  type RunInstancesCommandInput,
} from '@aws-sdk/client-ec2';
import { unless, within } from '../../storage/provider-calls.js';
import type { Call } from '../../storage/storage-provider.js';
import type {
  ComputeProvider,
  Instance,
  InstanceRef,
  NewInstance,
  Price,
} from '../compute-provider.js';
import { cloudInit } from '../machines/cloud-init.js';
import {
  INSTALLATION,
  nameOf,
  readMachineTags,
  writeMachineTags,
} from '../machines/machine-tags.js';
import { lookUntil, ownOf, type MachineOptions } from '../machines/machines.js';
import { PartyGroups } from './party-groups.js';

export interface AwsMachineOptions extends MachineOptions {
  region: string;
  /** Of a server that speaks EC2; absent: that of AWS. */
  endpoint?: string;
  /** Profile of the AWS configuration files; absent: what the environment or the instance gives. */
  profile?: string;
  /** The machine image: this suite in /opt/glacis, Node, cloud-init, systemd, curl. */
  image: string;
  /** Where machines get their address; absent: the default of the region. */
  subnet?: string;
}

/** @throws {Error} when credentials are missing, as a provider must not turn into local processes by mistake */
export async function openAwsCompute(options: AwsMachineOptions): Promise<AwsCompute> {
  const { region, endpoint, profile } = options;
  const ec2 = new EC2Client({ region, endpoint, profile, maxAttempts: 3 });
  await ec2.config.credentials();
  return new AwsCompute(options, ec2);
}

const metadata = 'http://169.254.169.254/latest';
const session = `curl -sfX PUT ${metadata}/api/token -H 'X-aws-ec2-metadata-token-ttl-seconds: 60'`;
const address = `curl -sfH "X-aws-ec2-metadata-token: $(${session})" ${metadata}/meta-data/public-ipv4`;

/** Parties as machines of EC2, each with a security group of its own (jobs.md 10.3). */
export class AwsCompute implements ComputeProvider {
  readonly driver = 'aws';
  private readonly groups: PartyGroups;

  constructor(
    private readonly options: AwsMachineOptions,
    private readonly ec2: EC2Client,
  ) {
    this.groups = new PartyGroups(ec2, options);
  }

  async ensureInstance(instance: NewInstance, call: Call): Promise<Instance> {
    return within(call, async (signal) => {
      const found = await this.list([tagIs('glacis-job', instance.tags.job)], signal);
      return ownOf(instance, found) ?? this.start(instance, signal);
    });
  }

  async describe(ref: InstanceRef, call: Call): Promise<Instance | undefined> {
    return within(call, (signal) => this.find(ref, signal));
  }

  async terminate(ref: InstanceRef, call: Call): Promise<void> {
    await within(call, async (abortSignal) => {
      const InstanceIds = [String(ref.id)];
      const ended = async (): Promise<true | undefined> => {
        const found = await this.find(ref, abortSignal);
        return found === undefined ? true : undefined;
      };
      await unless(['not_found'], () =>
        this.ec2.send(new TerminateInstancesCommand({ InstanceIds }), { abortSignal }),
      );
      await lookUntil(ended, this.options, abortSignal);
      await this.groups.delete({ name: nameOf(String(ref.run)) }, abortSignal);
    });
  }

  async listByTag({ job }: { job?: string }, call: Call): Promise<Instance[]> {
    const filters = job === undefined ? [] : [tagIs('glacis-job', job)];
    return within(call, (signal) => this.list(filters, signal));
  }

  /** Groups that were left when the service ended in the middle of a termination. */
  async forget(job: string, call: Call): Promise<void> {
    await within(call, (signal) => this.groups.delete({ job }, signal));
  }

  price(): Price | null {
    return this.options.price;
  }

  /** The token makes a repeated call give the instance of the first, also where its answer was lost. */
  private async start(instance: NewInstance, signal: AbortSignal): Promise<Instance> {
    const group = await this.groups.ensure(instance, signal);
    const command = new RunInstancesCommand(this.request(instance, group));
    const run = async (): Promise<string | undefined> => {
      const { Instances = [] } = await this.ec2.send(command, { abortSignal: signal });
      return Instances[0]?.InstanceId;
    };
    // A group that was just made, and an instance, are not seen everywhere at once.
    const id = await lookUntil(() => run().catch(unseen), this.options, signal);
    const look = (): Promise<Instance | undefined> =>
      this.find({ id, run: instance.runId }, signal);
    return lookUntil(look, this.options, signal);
  }

  private request(instance: NewInstance, group: string): RunInstancesCommandInput {
    const { confidential, identity, image, installation, subnet, type } = this.options;
    const tags = { Name: nameOf(instance.runId), ...writeMachineTags(installation, instance) };
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    return {
      ClientToken: instance.runId,
      MinCount: 1,
      MaxCount: 1,
      ImageId: image,
      InstanceType: type as RunInstancesCommandInput['InstanceType'],
      InstanceInitiatedShutdownBehavior: 'terminate',
      ...(identity && { IamInstanceProfile: profileOf(identity) }),
      MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
      ...(confidential && { CpuOptions: { AmdSevSnp: 'enabled' } }),
      NetworkInterfaces: [
        { DeviceIndex: 0, AssociatePublicIpAddress: true, SubnetId: subnet, Groups: [group] },
      ],
      TagSpecifications: [
        { ResourceType: 'instance', Tags },
        { ResourceType: 'volume', Tags },
      ],
      UserData: Buffer.from(cloudInit(instance, address)).toString('base64'),
    };
  }

  private async find({ id, run }: InstanceRef, signal: AbortSignal): Promise<Instance | undefined> {
    const found = await this.list([{ Name: 'instance-id', Values: [String(id)] }], signal);
    return found.find(({ runId }) => runId === run);
  }

  private async list(filters: readonly Filter[], abortSignal: AbortSignal): Promise<Instance[]> {
    const Filters = [
      ...filters,
      tagIs(INSTALLATION, this.options.installation),
      // Those that have ended are told of for an hour more.
      { Name: 'instance-state-name', Values: Object.keys(states) },
    ];
    const pages = paginateDescribeInstances(
      { client: this.ec2, pageSize: 100 },
      { Filters },
      { abortSignal },
    );
    const found: Instance[] = [];
    for await (const { Reservations = [] } of pages) {
      const instances = Reservations.flatMap(({ Instances = [] }) => Instances);
      found.push(...instances.flatMap((each) => this.instanceOf(each) ?? []));
    }
    return found;
  }

  /** One that was started with another token got its tags by hand, as a copy of ours has them, and is left alone. */
  private instanceOf({
    InstanceId,
    ClientToken,
    Tags = [],
    State,
  }: Ec2Instance): Instance | undefined {
    const tags = Object.fromEntries(Tags.map(({ Key = '', Value }) => [Key, Value]));
    const read = readMachineTags(this.options.installation, tags);
    const state = states[State?.Name ?? ''];
    if (read === undefined || state === undefined || ClientToken !== read.runId) return undefined;
    return { ...read, ref: { id: InstanceId ?? '', run: read.runId }, state };
  }
}

const states: Readonly<Record<string, Instance['state']>> = {
  pending: 'starting',
  running: 'up',
  'shutting-down': 'gone',
  stopping: 'gone',
  stopped: 'gone',
};

const profileOf = (text: string): RunInstancesCommandInput['IamInstanceProfile'] =>
  text.startsWith('arn:') ? { Arn: text } : { Name: text };

const tagIs = (name: string, value: string): Filter => ({ Name: `tag:${name}`, Values: [value] });

function unseen(error: unknown): undefined {
  if ((error as Error).name !== 'InvalidGroup.NotFound') throw error;
}
