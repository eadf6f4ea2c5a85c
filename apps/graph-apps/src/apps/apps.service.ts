import { appId } from '@glacis/graphs';
import type { Caller } from '@glacis/http';
import { CLOCK, newId, systemClock, type Clock } from '@glacis/runtime';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { GraphCluster } from '../cluster/graph-cluster.js';
import { duplicateGraph } from '../problems.js';
import { APPS_STORE, type AppsStore, type Edit } from '../store/apps-store.js';
import type { App, AppRef, StoredGraph, VersionPatch } from './app.entity.js';
import type { GraphBody, VersionBody } from './app.schema.js';
import { createdEvent, deletedEvent, editOf, newApp, savedEvent, withVersion } from './changes.js';
import { GraphCheck } from './check-graph.js';
import { Edits, type Decision } from './edits.js';
import { causeOf, editableBy, knownTo, noSuchVersion, refOfId, type AppEdit } from './known-app.js';

/** What a save has made. */
export interface Saved {
  app: App;
  graph: StoredGraph;
  version: number;
  warnings: string[];
}

/** Drafts, versions, notes and the end of an App (`graph-apps.md` 6.2). */
@Injectable()
export class AppsService {
  constructor(
    @Inject(APPS_STORE) private readonly store: AppsStore,
    @Inject(Edits) private readonly edits: Edits,
    @Inject(GraphCheck) private readonly graphs: GraphCheck,
    @Inject(GraphCluster) private readonly cluster: GraphCluster,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  /** A draft: nothing reaches the cluster. */
  create(caller: Caller, body: GraphBody): Promise<Saved> {
    const { name, namespace, labels } = body.metadata;
    const ref = { name, namespace };
    const warnings = this.graphs.check(ref, body);
    return this.edits.run(ref, (existing) => {
      if (existing) throw duplicateGraph(`${appId(ref)} exists already`);
      const now = this.clock.now();
      const draft = newApp({ id: newId(this.clock), tenant: caller.tenant, ...ref, labels }, now);
      const graph = storedGraph(ref, body);
      const given = { graph, notes: body.notes ?? '', source: 'api', now } as const;
      const { app, version } = withVersion(draft, given);
      const events = [createdEvent(app, 'api'), savedEvent(app, version)];
      const did = { action: 'app.create', detail: { version: 1 }, events };
      const edit = editOf({ after: app, version }, causeOf(caller), did);
      return decided(edit, { graph, version: 1, warnings });
    });
  }

  /** Always a new version, also of equal content; nothing is deployed. */
  async save(caller: Caller, edit: AppEdit, body: VersionBody): Promise<Saved> {
    const ref = refOfId(edit.id);
    editableBy(caller, edit, await this.store.find(ref));
    const warnings = this.graphs.check(ref, body);
    return this.edits.run(ref, (found) => {
      const before = editableBy(caller, edit, found);
      const graph = storedGraph(ref, body);
      const given = {
        graph,
        notes: body.notes ?? '',
        source: 'api',
        now: this.clock.now(),
      } as const;
      const { app: after, version } = withVersion(before, given);
      const { number } = version;
      const events = [savedEvent(after, version)];
      const did = { action: 'version.save', detail: { version: number }, events };
      const change = editOf({ before, after, version }, causeOf(caller), did);
      return decided(change, { graph, version: number, warnings });
    });
  }

  /** All else of a version stays as it was saved. */
  async annotate(
    caller: Caller,
    edit: AppEdit,
    patch: VersionPatch & { notes: string },
  ): Promise<App> {
    return this.edits.run(refOfId(edit.id), async (found) => {
      const before = editableBy(caller, edit, found);
      const old = await this.store.version(before, patch.number);
      if (old === undefined) throw noSuchVersion();
      const detail = { version: patch.number, before: old.notes, after: patch.notes };
      const did = { action: 'version.annotate', detail, events: [] };
      const change = editOf({ before, after: before, patch }, causeOf(caller), did);
      return { edit: change, result: change.after as App };
    });
  }

  /** A graph in the cluster is deleted there, and its App goes once it is gone; a draft goes at once. */
  async delete(caller: Caller, edit: AppEdit): Promise<void> {
    const ref = refOfId(edit.id);
    const app = editableBy(caller, edit, await this.store.find(ref));
    if (app.uid !== null) await this.cluster.delete(app);
    else await this.deleteDraft(caller, edit, ref);
  }

  private async deleteDraft(caller: Caller, edit: AppEdit, ref: AppRef): Promise<void> {
    const deployed = await this.edits.run<App | undefined>(ref, (found) => {
      const before = editableBy(caller, edit, found);
      // It may have been deployed meanwhile.
      if (before.uid !== null) return { result: before };
      const did = { action: 'app.delete', events: [deletedEvent(before)] };
      return { edit: editOf({ before }, causeOf(caller), did), result: undefined };
    });
    if (deployed) await this.cluster.delete(deployed);
  }

  /** The App as its tenant sees it. @throws {Problem} graph-not-found */
  async get(caller: Caller, id: string): Promise<App> {
    return knownTo(caller, id, await this.store.find(refOfId(id)));
  }
}

function decided(edit: Edit, made: Omit<Saved, 'app'>): Decision<Saved> {
  return { edit, result: { ...made, app: edit.after as App } };
}

/** What is kept of a posted graph: no status, no other metadata, and `deploy` is not of the content. */
function storedGraph(
  ref: AppRef,
  { apiVersion, kind, spec }: Omit<GraphBody, 'metadata'>,
): StoredGraph {
  const { namespace, name } = ref;
  return { apiVersion, kind, metadata: { name, namespace }, spec: { graph: spec.graph } };
}
