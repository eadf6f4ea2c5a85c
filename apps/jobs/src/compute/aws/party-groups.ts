import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DeleteSecurityGroupCommand,
  DescribeSubnetsCommand,
  paginateDescribeSecurityGroups,
  type EC2Client,
} from '@aws-sdk/client-ec2';
import { failureOf, unless } from '../../storage/provider-calls.js';
import type { NewInstance } from '../compute-provider.js';
import { LINK_PORT } from '../machines/cloud-init.js';
import { INSTALLATION, nameOf, writeMachineTags } from '../machines/machine-tags.js';
import { lookUntil } from '../machines/machines.js';
import type { AwsMachineOptions } from './aws-compute.js';

/**
 * Security groups, one for the machine of each run: links may come in, as addresses of peers in other clouds are not known
 * before; who links is judged by its certificate.
 */
export class PartyGroups {
  constructor(
    private readonly ec2: EC2Client,
    private readonly options: AwsMachineOptions,
  ) {}

  /** Id of the group; one that is there from a call before counts as made. */
  async ensure(instance: NewInstance, abortSignal: AbortSignal): Promise<string> {
    const GroupName = nameOf(instance.runId);
    const tags = writeMachineTags(this.options.installation, instance);
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const create = new CreateSecurityGroupCommand({
      GroupName,
      Description: 'Links of one party of a job',
      VpcId: await this.vpc(abortSignal),
      TagSpecifications: [{ ResourceType: 'security-group', Tags }],
    });
    await unless(['exists'], () => this.ec2.send(create, { abortSignal }));
    const [id = ''] = await lookUntil(
      () => this.find('group-name', GroupName, abortSignal).then((ids) => ids[0] && ids),
      this.options,
      abortSignal,
    );
    const link = {
      IpProtocol: 'tcp',
      FromPort: LINK_PORT,
      ToPort: LINK_PORT,
      IpRanges: [{ CidrIp: '0.0.0.0/0' }],
    };
    const authorize = new AuthorizeSecurityGroupIngressCommand({
      GroupId: id,
      IpPermissions: [link],
    });
    await unless(['exists'], () => this.ec2.send(authorize, { abortSignal }));
    return id;
  }

  /** Of one run, or all of a job. One that a machine still holds is left, to whoever put that machine into it. */
  async delete(of: { name: string } | { job: string }, abortSignal: AbortSignal): Promise<void> {
    const ids =
      'name' in of
        ? await this.find('group-name', of.name, abortSignal)
        : await this.find('tag:glacis-job', of.job, abortSignal);
    for (const GroupId of ids) {
      const command = new DeleteSecurityGroupCommand({ GroupId });
      try {
        await this.ec2.send(command, { abortSignal });
      } catch (error) {
        const isHeld = (error as Error).name === 'DependencyViolation';
        if (!isHeld && failureOf(error).code !== 'not_found') throw error;
      }
    }
  }

  private async find(filter: string, value: string, abortSignal: AbortSignal): Promise<string[]> {
    const Filters = [
      { Name: filter, Values: [value] },
      { Name: `tag:${INSTALLATION}`, Values: [this.options.installation] },
    ];
    const found: string[] = [];
    const pages = paginateDescribeSecurityGroups(
      { client: this.ec2, pageSize: 100 },
      { Filters },
      { abortSignal },
    );
    for await (const { SecurityGroups = [] } of pages)
      found.push(...SecurityGroups.flatMap(({ GroupId }) => GroupId ?? []));
    return found;
  }

  /** Of the subnet that machines are put into; absent: the default one. */
  private async vpc(abortSignal: AbortSignal): Promise<string | undefined> {
    const { subnet } = this.options;
    if (subnet === undefined) return undefined;
    const command = new DescribeSubnetsCommand({ SubnetIds: [subnet] });
    const { Subnets = [] } = await this.ec2.send(command, { abortSignal });
    return Subnets[0]?.VpcId;
  }
}
