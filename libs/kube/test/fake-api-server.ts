import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@glacis/testbed';

interface Stored {
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    resourceVersion: string;
    generation?: number;
    finalizers?: string[];
    deletionTimestamp?: string;
  };
  [member: string]: unknown;
}

export interface Change {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** Collection path with namespace. */
  collection: string;
  object: Stored;
}

export interface Recorded {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** What happens to a request instead of its answer: a status, or nothing at all. */
export type Fault = { status: number; reason?: string; retryAfter?: number } | 'hang' | 'reset';

/**
 * A small API server in memory over real HTTP: collections, pages, resource versions, merge patch and a simple apply,
 * status, preconditions, finalizers, watches with bookmarks, and faults.
 */
export class FakeApiServer {
  readonly requests: Recorded[] = [];
  /** Asked for every request; what it gives happens instead of the answer. */
  fault: (request: Recorded) => Fault | undefined = () => undefined;
  /** Passes on the events of a watch; may drop, delay or repeat them. */
  deliver: (events: string[], send: (line: string) => void) => void = (events, send) =>
    events.forEach(send);
  /** Watches are accepted, say nothing and never end. */
  deaf = false;
  private version = 100;
  private oldest = 100;
  private uids = 0;
  private readonly objects = new Map<string, Stored>();
  private readonly history: Change[] = [];
  private readonly watchers = new Set<(change: Change) => void>();
  private readonly snapshots = new Map<string, Stored[]>();
  private readonly server = createServer((request, response) => void this.serve(request, response));

  async listen(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  /** Breaks every connection. */
  dropConnections(): void {
    this.server.closeAllConnections();
  }

  /** A kubeconfig file for it, or for a proxy on `port`. */
  async kubeconfig(options: { port?: number; token?: string } = {}): Promise<string> {
    const file = join(await temporaryFolder(), 'kubeconfig');
    const config = {
      'current-context': 'test',
      clusters: [
        {
          name: 'c',
          cluster: {
            server: `http://127.0.0.1:${options.port ?? this.port}`,
            'insecure-skip-tls-verify': true,
          },
        },
      ],
      users: [{ name: 'u', user: { token: options.token ?? 'secret' } }],
      contexts: [{ name: 'test', context: { cluster: 'c', user: 'u', namespace: 'tee' } }],
    };
    await writeFile(file, JSON.stringify(config));
    return file;
  }

  /** Everything under a collection path, as it is now. */
  all(collection: string): Stored[] {
    return [...this.objects]
      .filter(([path]) => path.startsWith(`${collection}/`))
      .map(([, object]) => object);
  }

  /** Forgets the history: watches and continue tokens from before are answered 410. */
  compact(): void {
    this.version += 1;
    this.oldest = this.version;
    this.snapshots.clear();
  }

  put(path: string, object: object): Stored {
    return this.store(path, this.objects.get(path), object as Stored);
  }

  remove(path: string): void {
    const object = this.objects.get(path);
    if (!object) throw new Error(`no ${path}`);
    this.erase(path, object);
  }

  private store(path: string, before: Stored | undefined, object: Stored): Stored {
    const parts = path.split('/');
    this.version += 1;
    const specChanged = JSON.stringify(before?.spec) !== JSON.stringify(object.spec);
    const stored: Stored = {
      ...object,
      metadata: {
        ...object.metadata,
        name: parts.at(-1)!,
        ...(parts.includes('namespaces') && parts.length > 6 && { namespace: parts.at(-3)! }),
        uid: before?.metadata.uid ?? `uid-${(this.uids += 1)}`,
        resourceVersion: String(this.version),
        generation: (before?.metadata.generation ?? 0) + (specChanged ? 1 : 0),
      },
    };
    this.objects.set(path, stored);
    this.tell({
      type: before ? 'MODIFIED' : 'ADDED',
      collection: collectionOf(path),
      object: stored,
    });
    return stored;
  }

  private erase(path: string, object: Stored): void {
    this.version += 1;
    this.objects.delete(path);
    const metadata = { ...object.metadata, resourceVersion: String(this.version) };
    this.tell({ type: 'DELETED', collection: collectionOf(path), object: { ...object, metadata } });
  }

  private tell(change: Change): void {
    this.history.push(change);
    for (const watcher of this.watchers) watcher(change);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { method = '', url = '' } = request;
    const recorded = { method, path: url, headers: request.headers, body };
    this.requests.push(recorded);
    const fault = this.fault(recorded);
    if (fault === 'reset') return void request.socket.resetAndDestroy();
    if (fault === 'hang') return;
    if (fault) return refuse(response, fault.status, fault.reason, fault.retryAfter);
    this.answer(recorded, response);
  }

  private answer(request: Recorded, response: ServerResponse): void {
    const url = new URL(request.path, 'http://x');
    const sent = request.body === '' ? undefined : (JSON.parse(request.body) as Stored);
    if (request.method === 'GET' && isCollection(url.pathname)) {
      return url.searchParams.has('watch') ? this.watch(url, response) : this.list(url, response);
    }
    if (request.method === 'POST') return this.create(url.pathname, sent!, response);
    if (request.headers['content-type']?.includes('apply-patch')) {
      return this.apply(url.pathname, sent!, response);
    }
    this.answerOne(request.method, url.pathname, sent, response);
  }

  private apply(path: string, sent: Stored, response: ServerResponse): void {
    const current = this.objects.get(path);
    const next = merged(current ?? {}, sent);
    reply(
      response,
      200,
      current && same(next, current) ? current : this.store(path, current, next),
    );
  }

  private answerOne(
    method: string,
    path: string,
    sent: Stored | undefined,
    response: ServerResponse,
  ): void {
    const target = path.replace(/\/status$/, '');
    const current = this.objects.get(target);
    if (!current) return refuse(response, 404, 'NotFound');
    if (breaksPrecondition(current, sent)) return refuse(response, 409, 'Conflict');
    if (method === 'GET') return reply(response, 200, current);
    if (method === 'DELETE') return this.delete(target, current, response);
    const next = method === 'PUT' ? sent! : merged(current, sent!);
    if (target !== path)
      return reply(response, 200, this.store(target, current, { ...current, status: next.status }));
    return this.update(target, current, { ...next, status: current.status }, response);
  }

  private update(path: string, current: Stored, next: Stored, response: ServerResponse): void {
    const gone = current.metadata.deletionTimestamp && !next.metadata.finalizers?.length;
    if (gone) this.erase(path, next);
    reply(response, 200, gone ? next : this.store(path, current, next));
  }

  private create(collection: string, sent: Stored, response: ServerResponse): void {
    const path = `${collection}/${sent.metadata.name}`;
    if (this.objects.has(path)) return refuse(response, 409, 'AlreadyExists');
    reply(response, 201, this.store(path, undefined, sent));
  }

  private delete(path: string, current: Stored, response: ServerResponse): void {
    if (!current.metadata.finalizers?.length) this.erase(path, current);
    else if (!current.metadata.deletionTimestamp) {
      const metadata = { ...current.metadata, deletionTimestamp: new Date().toISOString() };
      this.store(path, current, { ...current, metadata });
    }
    reply(response, 200, { kind: 'Status', status: 'Success' });
  }

  private list(url: URL, response: ServerResponse): void {
    const limit = Number(url.searchParams.get('limit') ?? 1e9);
    const token = url.searchParams.get('continue');
    const [version, from] = token ? token.split('.') : [String(this.version), '0'];
    const snapshot = token ? this.snapshots.get(version!) : this.under(url.pathname);
    if (!snapshot) return refuse(response, 410, 'Expired');
    this.snapshots.set(version!, snapshot);
    const end = Number(from) + limit;
    const more = end < snapshot.length ? { continue: `${version}.${end}` } : {};
    const items = snapshot
      .slice(Number(from), end)
      .map((object) => ({ ...object, apiVersion: undefined, kind: undefined }));
    reply(response, 200, { metadata: { resourceVersion: version, ...more }, items });
  }

  private under(collection: string): Stored[] {
    return [...this.objects]
      .filter(([path]) => isWithin(path, collection))
      .map(([, object]) => object);
  }

  private watch(url: URL, response: ServerResponse): void {
    const from = Number(url.searchParams.get('resourceVersion'));
    const seconds = Number(url.searchParams.get('timeoutSeconds'));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (this.deaf) return;
    const send = (line: string): void => void response.write(line);
    if (from < this.oldest) {
      const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };
      return void response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
    }
    const wanted = ({ collection, object }: Change): boolean =>
      isWithin(`${collection}/x`, url.pathname) && Number(object.metadata.resourceVersion) > from;
    const lineOf = ({ type, object }: Change): string => `${JSON.stringify({ type, object })}\n`;
    this.deliver(this.history.filter(wanted).map(lineOf), send);
    const watcher = (change: Change): void => {
      if (wanted(change)) this.deliver([lineOf(change)], send);
    };
    this.watchers.add(watcher);
    const timer = setTimeout(() => {
      const metadata = { resourceVersion: String(this.version) };
      this.deliver([`${JSON.stringify({ type: 'BOOKMARK', object: { metadata } })}\n`], send);
      response.end();
    }, seconds * 1000);
    response.on('close', () => {
      clearTimeout(timer);
      this.watchers.delete(watcher);
    });
  }
}

function breaksPrecondition(current: Stored, sent: Stored | undefined): boolean {
  const { uid, resourceVersion } = (sent?.preconditions ?? {}) as Partial<Stored['metadata']>;
  const version =
    sent?.metadata?.resourceVersion ?? resourceVersion ?? current.metadata.resourceVersion;
  return (
    version !== current.metadata.resourceVersion ||
    (uid ?? current.metadata.uid) !== current.metadata.uid
  );
}

const collectionOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

/** `/api/v1/x`, `/apis/g/v1/x` and the same within a namespace are collections. */
function isCollection(path: string): boolean {
  const parts = path.split('/').slice(path.startsWith('/apis/') ? 4 : 3);
  return parts.length === 1 || (parts.length === 3 && parts[0] === 'namespaces');
}

/** A collection over all namespaces holds those of each. */
function isWithin(path: string, collection: string): boolean {
  const own = collectionOf(path);
  return own === collection || own.replace(/\/namespaces\/[^/]+/, '') === collection;
}

function merged(into: object, patch: object): Stored {
  const result: Record<string, unknown> = { ...into };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else if (typeof value === 'object' && !Array.isArray(value))
      result[name] = merged((result[name] as object) ?? {}, value as object);
    else result[name] = value;
  }
  return result as Stored;
}

const same = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function refuse(
  response: ServerResponse,
  code: number,
  reason?: string,
  retryAfter?: number,
): void {
  if (retryAfter !== undefined) response.setHeader('retry-after', String(retryAfter));
  reply(response, code, { kind: 'Status', status: 'Failure', code, reason, message: reason });
}
