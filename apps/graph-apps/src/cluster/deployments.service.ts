import { isDeepStrictEqual } from 'node:util';
import { ANNOTATIONS } from '@glacis/graphs';
import type { Caller } from '@glacis/http';
import { isKubeError } from '@glacis/kube';
import { Inject, Injectable } from '@nestjs/common';
import type { App, Version } from '../apps/app.entity.js';
import { causeOf, editableBy, noSuchVersion, refOfId, type AppEdit } from '../apps/known-app.js';
import { graphNotFound, redeploymentConflict, redeploymentFailed } from '../problems.js';
import { APPS_STORE, type AppsStore } from '../store/apps-store.js';
import type { GraphObject } from './connection.js';
import { GraphCluster } from './graph-cluster.js';
import { GraphFollower } from './graph-follower.js';
import { refusalOf } from './refusals.js';

/** Writes that may be lost to a change of something else in the graph before it is given up. */
const attempts = 4;

/** What the cluster has taken. */
export interface Deployed {
  app: App;
  graph: GraphObject;
}

/** Deploy, revert and undeploy (`graph-apps.md` 6.4): the cluster first, the rows after what it has taken. */
@Injectable()
export class DeploymentsService {
  constructor(
    @Inject(APPS_STORE) private readonly store: AppsStore,
    @Inject(GraphCluster) private readonly cluster: GraphCluster,
    @Inject(GraphFollower) private readonly follower: GraphFollower,
  ) {}

  /** Brings that version into the cluster; an older one than the active is the revert. */
  async deploy(caller: Caller, edit: AppEdit, number: number): Promise<Deployed> {
    const app = await this.editable(caller, edit);
    const version = await this.store.version(app, number);
    if (version === undefined) throw noSuchVersion();
    await this.checkTenant(caller, app);
    return this.taken(caller, app, () => this.write(app, version));
  }

  async undeploy(caller: Caller, edit: AppEdit): Promise<Deployed> {
    const app = await this.editable(caller, edit);
    const { namespace, name } = app;
    const { graphs } = this.cluster.required.clients;
    if (app.uid === null) throw noGraph(edit.id);
    return this.taken(caller, app, async () => {
      const found = await graphs.find({ namespace, name });
      if (found === undefined) throw noGraph(edit.id);
      return graphs.patch({ namespace, name }, { spec: { deploy: false } });
    });
  }

  private async editable(caller: Caller, edit: AppEdit): Promise<App> {
    return editableBy(caller, edit, await this.store.find(refOfId(edit.id)));
  }

  /** A Namespace of somebody else answers like one that is not there. */
  private async checkTenant(caller: Caller, { namespace }: App): Promise<void> {
    try {
      if ((await this.cluster.tenantOf(namespace)) === caller.tenant) return;
    } catch (error) {
      throw refusalOf(error);
    }
    throw redeploymentFailed(`namespaces "${namespace}" not found`);
  }

  private async taken(
    caller: Caller,
    app: App,
    write: () => Promise<GraphObject>,
  ): Promise<Deployed> {
    const graph = await write().catch((error: unknown) => {
      throw refusalOf(error);
    });
    return { app: await this.follower.take(app, graph, causeOf(caller)), graph };
  }

  private async write(app: App, version: Version): Promise<GraphObject> {
    const { graphs } = this.cluster.required.clients;
    const { namespace, name, labels } = app;
    const annotations = { [ANNOTATIONS.appVersion]: String(version.number) };
    const spec = { graph: version.graph.spec.graph, deploy: true } as const;
    const current = await graphs.find({ namespace, name });
    if (current) return this.replace(current, { annotations, spec });
    return graphs.create({ metadata: { namespace, name, labels, annotations }, spec });
  }

  /** A write that is lost to a change of metadata or status is repeated; one that is lost to another spec is not. */
  private async replace(first: GraphObject, wanted: Wanted): Promise<GraphObject> {
    const { graphs } = this.cluster.required.clients;
    let current = first;
    for (let attempt = 1; ; attempt++) {
      try {
        return await graphs.replace(written(current, wanted));
      } catch (error) {
        if (!isKubeError(error, 'conflict') || attempt === attempts) throw error;
        current = await graphs.get(first.metadata);
        if (!isDeepStrictEqual(current.spec, first.spec)) {
          throw redeploymentConflict('the graph was changed in the cluster meanwhile');
        }
      }
    }
  }
}

interface Wanted {
  annotations: Record<string, string>;
  spec: { graph: unknown; deploy: true };
}

/** Status is the operator's to write. */
function written(current: GraphObject, { annotations, spec }: Wanted): GraphObject {
  const { metadata } = current;
  const merged = { ...metadata.annotations, ...annotations };
  return { ...current, metadata: { ...metadata, annotations: merged }, spec, status: undefined };
}

function noGraph(id: string): Error {
  return graphNotFound(`${id} has no graph in the cluster`);
}
