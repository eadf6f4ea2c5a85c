import { isKubeError, type ApiServer } from '@glacis/kube';
import { parseAllDocuments } from 'yaml';

/** An object of any kind, such as charts make. */
export interface AnyRef {
  apiVersion: string;
  kind: string;
  name: string;
  /** Ignored for kinds without namespaces. */
  namespace: string;
}

export interface AnyObject {
  metadata: { name: string; uid: string; annotations?: Record<string, string> };
}

/** The objects of a manifest of helm. @param namespace of those that name none: that of the release */
export function objectsOf(manifest: string, namespace: string): AnyRef[] {
  return parseAllDocuments(manifest).flatMap((document) => {
    const { apiVersion, kind, metadata } = (document.toJS() ?? {}) as Partial<AnyRef> & {
      metadata?: { name?: string; namespace?: string };
    };
    if (apiVersion === undefined || kind === undefined || metadata?.name === undefined) return [];
    return [{ apiVersion, kind, name: metadata.name, namespace: metadata.namespace ?? namespace }];
  });
}

interface Kind {
  /** Plural. */
  name: string;
  kind: string;
  namespaced: boolean;
}

/** Objects of all kinds of a cluster, by what its API server says of them. */
export class ClusterObjects {
  private readonly kinds = new Map<string, Kind[]>();

  constructor(private readonly server: ApiServer) {}

  /** The object; undefined where it is not there, or nothing of its kind can be. @throws {KubeError} */
  async find(ref: AnyRef): Promise<AnyObject | undefined> {
    const path = await this.pathOf(ref);
    if (path === undefined) return undefined;
    return (await this.unlessMissing({ method: 'GET', path })) as AnyObject | undefined;
  }

  /** Asks for the end of exactly this object. @throws {KubeError} */
  async delete(ref: AnyRef, { metadata: { uid } }: AnyObject): Promise<void> {
    const path = await this.pathOf(ref);
    const options = { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid } };
    const body = { ...options, propagationPolicy: 'Background' };
    if (path !== undefined) await this.unlessMissing({ method: 'DELETE', path, body });
  }

  private async pathOf({ apiVersion, kind, namespace, name }: AnyRef): Promise<string | undefined> {
    const found = (await this.kindsOf(apiVersion, kind)).find((each) => each.kind === kind);
    if (!found) return undefined;
    const scope = found.namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : '';
    return `${rootOf(apiVersion)}${scope}/${found.name}/${encodeURIComponent(name)}`;
  }

  /** What is not known may have come meanwhile. */
  private async kindsOf(apiVersion: string, kind: string): Promise<Kind[]> {
    const known = this.kinds.get(apiVersion);
    if (known?.some((each) => each.kind === kind)) return known;
    const answer = await this.unlessMissing({ method: 'GET', path: rootOf(apiVersion) });
    const { resources } = (answer ?? { resources: [] }) as { resources: Kind[] };
    const kinds = resources.filter(({ name }) => !name.includes('/'));
    this.kinds.set(apiVersion, kinds);
    return kinds;
  }

  private async unlessMissing(call: Parameters<ApiServer['call']>[0]): Promise<unknown> {
    try {
      return await this.server.call(call);
    } catch (error) {
      if (isKubeError(error, 'notFound')) return undefined;
      throw error;
    }
  }
}

const rootOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
