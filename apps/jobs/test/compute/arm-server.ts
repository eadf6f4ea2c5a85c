import { CloudServer, Looks, type Answer, type Asked, type Purpose } from './cloud-server.js';

interface Group {
  name: string;
  tags: Record<string, string>;
  deployment?: { body: unknown; looks: Looks };
  seen: Looks;
  ending?: Looks;
}

const errorOf = (status: number, code: string, details?: { code: string }[]): Answer => ({
  status,
  body: { error: { code, message: code, ...(details && { details }) } },
});
const missing = errorOf(404, 'ResourceGroupNotFound');
const prefix = '/subscriptions/test/resourcegroups';

/**
 * A stand-in for Azure Resource Manager in the shapes of its REST reference (groups and deployments 2021-04-01, machines
 * 2024-07-01): groups are deleted in their own time, a deployment that is under way is no place for another.
 */
export class ArmServer extends CloudServer {
  readonly refusals = {
    throttled: errorOf(429, 'SubscriptionRequestsThrottled'),
    unavailable: errorOf(503, 'ServerTimeout'),
    quota: errorOf(400, 'InvalidTemplateDeployment', [{ code: 'QuotaExceeded' }]),
    denied: errorOf(403, 'AuthorizationFailed'),
  };
  private readonly groups = new Map<string, Group>();

  constructor(private readonly token: string) {
    super();
  }

  machines(): string[] {
    return [...this.groups.values()].filter((each) => each.deployment).map(({ name }) => name);
  }

  leftovers(): string[] {
    return [...this.groups.keys()];
  }

  clear(): void {
    this.groups.clear();
  }

  copy(runId: string): void {
    const found = this.groups.get(`glacis-${runId}`);
    if (found === undefined) throw new Error('there is no such machine');
    this.groups.set('a-copy', { ...found, name: 'a-copy' });
  }

  /** The deployment of a run. */
  requestOf(runId: string): unknown {
    return this.groups.get(`glacis-${runId}`)?.deployment?.body;
  }

  protected admits({ headers }: Asked): boolean {
    return headers.authorization === `Bearer ${this.token}`;
  }

  protected purposeOf({ method, url }: Asked): Purpose {
    const { pathname } = url;
    if (pathname === prefix) return 'list';
    if (method === 'PUT') return pathname.includes('/deployments/') ? 'create' : 'other';
    if (pathname.includes('/providers/')) return 'other';
    return method === 'DELETE' ? 'delete' : 'find';
  }

  protected answer({ method, url, body }: Asked): Answer {
    if (url.searchParams.get('api-version') === null)
      return errorOf(400, 'MissingApiVersionParameter');
    if (url.pathname === prefix) return this.list(url);
    const [name = '', , provider, type] = url.pathname.slice(prefix.length + 1).split('/');
    if (provider === undefined) return this.group(method, name, body);
    const group = this.find(name);
    if (group === undefined) return missing;
    return type === 'deployments' ? deployment(group, method, body) : machine(group);
  }

  private group(method: string, name: string, body: string): Answer {
    if (method === 'PUT') {
      const { tags } = JSON.parse(body) as Pick<Group, 'tags'>;
      const group = this.groups.get(name) ?? { name, tags, seen: new Looks() };
      if (group.ending) return errorOf(409, 'ResourceGroupBeingDeleted');
      this.groups.set(name, group);
      return { status: 201, body: view(group) };
    }
    const found = method === 'GET' ? this.look(name) : this.groups.get(name);
    if (found === undefined) return missing;
    if (method === 'GET') return { status: 200, body: view(found) };
    found.ending ??= new Looks();
    return { status: 202 };
  }

  private find(name: string): Group | undefined {
    return this.groups.get(name);
  }

  private look(name: string): Group | undefined {
    const found = this.groups.get(name);
    if (found?.ending?.past(this.pace.goneAfter)) this.groups.delete(name);
    return found?.seen.past(this.pace.seenAfter) ? this.groups.get(name) : undefined;
  }

  private list(url: URL): Answer {
    const filter = url.searchParams.get('$filter') ?? '';
    const [, name = '', value] = /^tagName eq '(.*)' and tagValue eq '(.*)'$/.exec(filter) ?? [];
    const found = [...this.groups.keys()]
      .flatMap((each) => this.look(each) ?? [])
      .filter(({ tags }) => tags[name] === value);
    const from = Number(url.searchParams.get('$skiptoken') ?? 0);
    const to = from + this.pageSize;
    const next = new URL(url);
    next.searchParams.set('$skiptoken', String(to));
    const more = to < found.length && { nextLink: next.href };
    return { status: 200, body: { value: found.slice(from, to).map(view), ...more } };
  }
}

const view = ({ name, tags, ending }: Group): Record<string, unknown> => ({
  id: `${prefix}/${name}`,
  name,
  tags,
  properties: { provisioningState: ending ? 'Deleting' : 'Succeeded' },
});

function deployment(group: Group, method: string, body: string): Answer {
  if (method === 'PUT') {
    if (group.deployment) return errorOf(409, 'DeploymentActive');
    group.deployment = { body: JSON.parse(body), looks: new Looks() };
    return { status: 201, body: { properties: { provisioningState: 'Accepted' } } };
  }
  if (group.deployment === undefined) return errorOf(404, 'DeploymentNotFound');
  const provisioningState = group.deployment.looks.past(1) ? 'Succeeded' : 'Running';
  return { status: 200, body: { properties: { provisioningState } } };
}

function machine({ deployment: made }: Group): Answer {
  if (made === undefined) return errorOf(404, 'ResourceNotFound');
  const statuses = [{ code: 'ProvisioningState/succeeded' }, { code: 'PowerState/running' }];
  return { status: 200, body: { name: 'party', properties: { instanceView: { statuses } } } };
}
