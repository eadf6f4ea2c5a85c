import { createVerify, type KeyObject } from 'node:crypto';
import { CloudServer, Looks, type Answer, type Asked, type Purpose } from './cloud-server.js';

interface Resource {
  body: { name: string; description?: string; labels?: Record<string, string> };
  seen: Looks;
  ending?: Looks;
}

interface Operation {
  name: string;
  zone?: string;
  error?: { errors: { code: string }[] };
  waits: Looks;
}

const errorOf = (code: number, reason: string): Answer => ({
  status: code,
  body: {
    error: { code, message: reason, errors: [{ domain: 'global', reason, message: reason }] },
  },
});
const missing = errorOf(404, 'notFound');

/**
 * A stand-in for the REST interface of Compute Engine in the shapes of its reference (compute v1): tokens are verified (RS256,
 * self-signed), changes are operations that take their time, names are taken once.
 */
export class GceServer extends CloudServer {
  readonly refusals = {
    throttled: errorOf(403, 'rateLimitExceeded'),
    unavailable: errorOf(503, 'backendError'),
    quota: errorOf(403, 'quotaExceeded'),
    denied: errorOf(403, 'forbidden'),
  };
  /** The next operation that makes an instance fails with this word. */
  failing: string | undefined;
  private readonly zone = 'europe-west1-b';
  private readonly resources = new Map<string, Resource>();
  private readonly operations = new Map<string, Operation>();

  constructor(private readonly publicKey: KeyObject) {
    super();
  }

  machines(): string[] {
    return this.under('instances');
  }

  leftovers(): string[] {
    return this.under('firewalls');
  }

  clear(): void {
    this.resources.clear();
  }

  copy(runId: string): void {
    const collection = `/zones/${this.zone}/instances`;
    const found = this.resources.get(`${collection}/glacis-${runId}`);
    if (found === undefined) throw new Error('there is no such machine');
    const body = { ...found.body, name: 'a-copy' };
    this.resources.set(`${collection}/a-copy`, { ...found, body });
  }

  /** What the instance of a run was asked for with. */
  requestOf(runId: string): unknown {
    return this.resources.get(`/zones/${this.zone}/instances/glacis-${runId}`)?.body;
  }

  protected admits({ headers }: Asked): boolean {
    const [header = '', claims = '', signature = ''] = (headers.authorization ?? '')
      .replace('Bearer ', '')
      .split('.');
    const told = JSON.parse(Buffer.from(claims || 'e30', 'base64url').toString()) as {
      exp?: number;
      scope?: string;
    };
    const holds = (told.exp ?? 0) * 1000 > Date.now();
    const isMeant = told.scope === 'https://www.googleapis.com/auth/compute';
    const verifier = createVerify('RSA-SHA256').update(`${header}.${claims}`);
    return holds && isMeant && verifier.verify(this.publicKey, signature, 'base64url');
  }

  protected purposeOf({ method, url }: Asked): Purpose {
    const { pathname } = url;
    if (pathname.endsWith('/aggregated/instances')) return 'list';
    if (!pathname.includes('/instances')) return 'other';
    const purposes: Record<string, Purpose> = { POST: 'create', GET: 'find', DELETE: 'delete' };
    return purposes[method] ?? 'other';
  }

  protected answer({ method, url, body }: Asked): Answer {
    const path = url.pathname.replace('/compute/v1/projects/test', '');
    if (path.endsWith('/wait')) return this.wait(path.split('/').at(-2) ?? '');
    if (path === '/aggregated/instances') return this.aggregated(url.searchParams);
    if (method === 'POST') return this.insert(path, body);
    if (method === 'DELETE') return this.remove(path);
    if (path.endsWith('/firewalls')) return this.firewalls(url.searchParams.get('filter') ?? '');
    const found = this.find(path);
    return found === undefined ? missing : { status: 200, body: this.view(found) };
  }

  private under(collection: string): string[] {
    return [...this.resources.keys()].filter((path) => path.includes(`/${collection}/`));
  }

  private insert(collection: string, text: string): Answer {
    const body = JSON.parse(text) as Resource['body'];
    const path = `${collection}/${body.name}`;
    if (this.resources.has(path)) return errorOf(409, 'alreadyExists');
    const { failing } = this;
    if (collection.endsWith('/instances') && failing !== undefined) {
      this.failing = undefined;
      return this.begin(path, failing);
    }
    this.resources.set(path, { body, seen: new Looks() });
    return this.begin(path);
  }

  private remove(path: string): Answer {
    const found = this.resources.get(path);
    if (found === undefined) return missing;
    found.ending ??= new Looks();
    return this.begin(path);
  }

  private begin(path: string, code?: string): Answer {
    const name = `operation-${this.operations.size}`;
    const zone = path.startsWith('/zones/')
      ? `${this.url}${path.slice(0, path.indexOf('/instances'))}`
      : undefined;
    const error = code === undefined ? undefined : { errors: [{ code }] };
    this.operations.set(name, { name, zone, error, waits: new Looks() });
    return { status: 200, body: { kind: 'compute#operation', name, zone, status: 'RUNNING' } };
  }

  private wait(name: string): Answer {
    const found = this.operations.get(name);
    if (found === undefined) return missing;
    const { zone, error, waits } = found;
    if (!waits.past(1)) return { status: 200, body: { name, zone, status: 'RUNNING' } };
    const failed = error && { error, httpErrorStatusCode: 403 };
    return { status: 200, body: { name, zone, status: 'DONE', ...failed } };
  }

  private find(path: string): Resource | undefined {
    const found = this.resources.get(path);
    if (found?.ending?.past(this.pace.goneAfter)) this.resources.delete(path);
    return found?.seen.past(this.pace.seenAfter) ? this.resources.get(path) : undefined;
  }

  private view({ body, ending }: Resource): Record<string, unknown> {
    const zone = `${this.url}/compute/v1/projects/test/zones/${this.zone}`;
    return { ...body, zone, status: ending ? 'STOPPING' : 'RUNNING' };
  }

  private aggregated(query: URLSearchParams): Answer {
    const wanted = [...(query.get('filter') ?? '').matchAll(/labels\.([\w-]+)=([\w-]+)/g)];
    const found = this.under('instances')
      .flatMap((path) => this.find(path) ?? [])
      .filter(({ body }) => wanted.every(([, name = '', value]) => body.labels?.[name] === value));
    const from = Number(query.get('pageToken') ?? 0);
    const to = from + this.pageSize;
    const instances = found.slice(from, to).map((each) => this.view(each));
    const items = {
      [`zones/${this.zone}`]: { instances },
      'zones/us-east1-a': { warning: { code: 'NO_RESULTS_ON_PAGE' } },
    };
    return {
      status: 200,
      body: { items, ...(to < found.length && { nextPageToken: String(to) }) },
    };
  }

  private firewalls(filter: string): Answer {
    const [, description] = /^description="(.*)"$/.exec(filter) ?? [];
    const found = this.under('firewalls').flatMap((path) => this.resources.get(path)?.body ?? []);
    return {
      status: 200,
      body: { items: found.filter((each) => each.description === description) },
    };
  }
}
