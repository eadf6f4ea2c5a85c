import { randomBytes } from 'node:crypto';
import { Looks, type Answer, type Asked } from './cloud-server.js';
import { done, Ec2Api, errorOf } from './ec2-api.js';

interface Machine {
  id: string;
  token: string;
  group: string;
  tags: Map<string, string>;
  request: URLSearchParams;
  seen: Looks;
  /** Set when its end has begun. */
  ending?: Looks;
  gone: boolean;
}

interface Group {
  id: string;
  name: string;
  tags: Map<string, string>;
  ports: string[];
}

/**
 * A stand-in for the Query API of EC2 in the shapes of its API reference (version 2016-11-15): client tokens
 * count, a new instance may be unseen at first, groups are held by the instances in them.
 */
export class Ec2Server extends Ec2Api {
  private readonly all = new Map<string, Machine>();
  private readonly groups = new Map<string, Group>();

  machines(): string[] {
    return [...this.all.values()].filter(({ gone }) => !gone).map(({ id }) => id);
  }

  leftovers(): string[] {
    return [...this.groups.keys()];
  }

  clear(): void {
    this.all.clear();
    this.groups.clear();
  }

  copy(runId: string): void {
    const found = [...this.all.values()].find(({ token }) => token === runId);
    if (found === undefined) throw new Error('there is no such machine');
    const id = idOf('i');
    this.all.set(id, { ...found, id, token: '' });
  }

  /** What the instance of a run was asked for with. */
  requestOf(runId: string): URLSearchParams | undefined {
    return [...this.all.values()].find(({ token }) => token === runId)?.request;
  }

  protected answer({ body }: Asked): Answer {
    const parameters = new URLSearchParams(body);
    const action = parameters.get('Action') ?? '';
    const actions: Record<string, () => Answer> = {
      CreateSecurityGroup: () => this.createGroup(parameters),
      AuthorizeSecurityGroupIngress: () => this.authorize(parameters),
      DescribeSecurityGroups: () => this.describeGroups(parameters),
      DeleteSecurityGroup: () => this.deleteGroup(parameters),
      RunInstances: () => this.run(parameters),
      DescribeInstances: () => this.describe(parameters),
      TerminateInstances: () => this.terminate(parameters),
    };
    return actions[action]?.() ?? errorOf(400, 'InvalidAction');
  }

  private createGroup(parameters: URLSearchParams): Answer {
    const name = parameters.get('GroupName') ?? '';
    if ([...this.groups.values()].some((each) => each.name === name))
      return errorOf(400, 'InvalidGroup.Duplicate');
    const id = idOf('sg');
    this.groups.set(id, { id, name, tags: tagsOf(parameters), ports: [] });
    return done('CreateSecurityGroup', `<return>true</return><groupId>${id}</groupId>`);
  }

  private authorize(parameters: URLSearchParams): Answer {
    const group = this.groups.get(parameters.get('GroupId') ?? '');
    if (group === undefined) return errorOf(400, 'InvalidGroup.NotFound');
    if (group.ports.length > 0) return errorOf(400, 'InvalidPermission.Duplicate');
    group.ports.push(parameters.get('IpPermissions.1.FromPort') ?? '');
    return done('AuthorizeSecurityGroupIngress', '<return>true</return>');
  }

  private describeGroups(parameters: URLSearchParams): Answer {
    const found = [...this.groups.values()].filter((group) =>
      matches(parameters, group.tags, { 'group-name': group.name }),
    );
    const items = found.map(
      ({ id, name }) => `<item><groupId>${id}</groupId><groupName>${name}</groupName></item>`,
    );
    return done('DescribeSecurityGroups', this.paged(parameters, items, 'securityGroupInfo'));
  }

  private deleteGroup(parameters: URLSearchParams): Answer {
    const id = parameters.get('GroupId') ?? '';
    if (!this.groups.has(id)) return errorOf(400, 'InvalidGroup.NotFound');
    if ([...this.all.values()].some(({ group, gone }) => group === id && !gone))
      return errorOf(400, 'DependencyViolation');
    this.groups.delete(id);
    return done('DeleteSecurityGroup', '<return>true</return>');
  }

  private run(parameters: URLSearchParams): Answer {
    const token = parameters.get('ClientToken') ?? '';
    const known = [...this.all.values()].find((each) => each.token === token);
    if (known !== undefined && known.request.toString() !== parameters.toString())
      return errorOf(400, 'IdempotentParameterMismatch');
    const group = parameters.get('NetworkInterface.1.SecurityGroupId.1') ?? '';
    if (!this.groups.has(group)) return errorOf(400, 'InvalidGroup.NotFound');
    const machine = known ?? {
      id: idOf('i'),
      token,
      group,
      tags: tagsOf(parameters),
      request: parameters,
      seen: new Looks(),
      gone: false,
    };
    this.all.set(machine.id, machine);
    return done('RunInstances', `<instancesSet>${itemOf(machine)}</instancesSet>`);
  }

  private describe(parameters: URLSearchParams): Answer {
    const seen = [...this.all.values()].filter((machine) => {
      if (machine.ending?.past(this.pace.goneAfter)) machine.gone = true;
      const facts = { 'instance-id': machine.id, 'instance-state-name': stateOf(machine) };
      if (!matches(parameters, machine.tags, facts)) return false;
      return machine.seen.past(this.pace.seenAfter);
    });
    const items = seen.map(
      (machine) => `<item><instancesSet>${itemOf(machine)}</instancesSet></item>`,
    );
    return done('DescribeInstances', this.paged(parameters, items, 'reservationSet'));
  }

  private terminate(parameters: URLSearchParams): Answer {
    const machine = this.all.get(parameters.get('InstanceId.1') ?? '');
    if (machine === undefined) return errorOf(400, 'InvalidInstanceID.NotFound');
    machine.ending ??= new Looks();
    return done('TerminateInstances', `<instancesSet>${itemOf(machine)}</instancesSet>`);
  }

  private paged(parameters: URLSearchParams, items: readonly string[], set: string): string {
    const from = Number(parameters.get('NextToken') ?? 0);
    const size = Math.min(this.pageSize, Number(parameters.get('MaxResults') ?? this.pageSize));
    const page = items.slice(from, from + size).join('');
    const more = from + size < items.length ? `<nextToken>${from + size}</nextToken>` : '';
    return `<${set}>${page}</${set}>${more}`;
  }
}

const idOf = (kind: string): string => `${kind}-${randomBytes(8).toString('hex')}`;

function stateOf({ ending, gone }: Machine): string {
  if (gone) return 'terminated';
  return ending ? 'shutting-down' : 'running';
}

function itemOf(machine: Machine): string {
  const tags = [...machine.tags].map(
    ([key, value]) => `<item><key>${key}</key><value>${value}</value></item>`,
  );
  return `<item><instanceId>${machine.id}</instanceId><clientToken>${machine.token}</clientToken><instanceState><code>16</code><name>${stateOf(machine)}</name></instanceState><tagSet>${tags.join('')}</tagSet></item>`;
}

/** Members `<prefix>.1`, `<prefix>.2`, … */
function listOf(parameters: URLSearchParams, prefix: string, member = ''): string[] {
  const found: string[] = [];
  for (let i = 1; parameters.has(`${prefix}.${i}${member}`); i++)
    found.push(parameters.get(`${prefix}.${i}${member}`) ?? '');
  return found;
}

function tagsOf(parameters: URLSearchParams): Map<string, string> {
  const prefix = 'TagSpecification.1.Tag';
  const keys = listOf(parameters, prefix, '.Key');
  const values = listOf(parameters, prefix, '.Value');
  return new Map(keys.map((key, i) => [key, values[i] ?? '']));
}

/** Whether all filters let something pass. */
function matches(
  parameters: URLSearchParams,
  tags: ReadonlyMap<string, string>,
  facts: Readonly<Record<string, string>>,
): boolean {
  return listOf(parameters, 'Filter', '.Name').every((name, i) => {
    const values = listOf(parameters, `Filter.${i + 1}.Value`);
    const actual = name.startsWith('tag:') ? tags.get(name.slice(4)) : facts[name];
    return actual !== undefined && values.includes(actual);
  });
}
