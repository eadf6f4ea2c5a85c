import { newId } from '@glacis/runtime';
import type { Filter } from 'mongodb';
import { shownVersion } from '../../apps/app.entity.js';
import type { App, AppRef, StoredGraph, Version, VersionEntry } from '../../apps/app.entity.js';
import {
  OutrunError,
  type AppPage,
  type AppQuery,
  type AppsStore,
  type Edit,
  type VersionRange,
} from '../apps-store.js';
import {
  isDuplicate,
  type AppDocument,
  type Entry,
  type MongoCollections,
  type Redo,
} from './client.js';
import { appOf, entryOf, membersOf, versionOf } from './documents.js';

const byName = { namespace: 1, name: 1 } as const;

/**
 * Apps in MongoDB, where a change is one document: a version is put down first, where nobody sees it, and counts when the
 * App is replaced by compare-and-set on its turn, which also takes the events and the audit row of the change along. What
 * changes of an older version waits in the App as well (`redo`), until it is done.
 */
export class MongoApps implements AppsStore {
  /** @param wake told that there is something to be told */
  constructor(
    private readonly mongo: MongoCollections,
    private readonly wake: () => void,
  ) {}

  async find({ namespace, name }: AppRef): Promise<App | undefined> {
    const found = await this.mongo.apps.findOne({ namespace, name, live: true });
    if (found === null) return undefined;
    await this.finish(found);
    return appOf(found);
  }

  async list({ after, limit = 0, ...query }: AppQuery): Promise<AppPage> {
    const filter = filterOf(query);
    const beyond = after && {
      $or: [
        { namespace: { $gt: after.namespace } },
        { namespace: after.namespace, name: { $gt: after.name } },
      ],
    };
    const page: Filter<AppDocument> = beyond ? { $and: [filter, beyond] } : filter;
    const [found, total] = await Promise.all([
      this.mongo.apps.find(page, { sort: byName, limit }).toArray(),
      this.mongo.apps.countDocuments(filter),
    ]);
    return { apps: found.map(appOf), total };
  }

  async deployed(): Promise<AppRef[]> {
    const found = await this.mongo.apps
      .find({ live: true, uid: { $ne: null } })
      .project<AppRef>({ _id: 0, namespace: 1, name: 1 })
      .toArray();
    return found;
  }

  async versions(app: App, { after = 0, limit = 0 }: VersionRange = {}): Promise<VersionEntry[]> {
    const found = await this.mongo.versions
      .find({ app: app.id, number: { $gt: after, $lte: app.lastVersion } })
      .project<Parameters<typeof entryOf>[0]>({ graph: 0 })
      .sort({ number: 1 })
      .limit(limit)
      .toArray();
    return found.map(entryOf);
  }

  async version(app: App, number: number): Promise<Version | undefined> {
    // What the App does not count is nobody's.
    if (number > app.lastVersion) return undefined;
    const found = await this.mongo.versions.findOne({ app: app.id, number });
    return found === null ? undefined : versionOf(found);
  }

  async numberOf(app: App, hash: string): Promise<number | undefined> {
    const counted = { app: app.id, hash, number: { $lte: app.lastVersion } };
    const found = await this.mongo.versions.findOne(counted, { sort: { number: -1 } });
    return found?.number;
  }

  async shownGraphs(apps: readonly App[]): Promise<Map<string, StoredGraph>> {
    if (apps.length === 0) return new Map();
    const wanted = apps.map((app) => ({ app: app.id, number: shownVersion(app) }));
    const found = await this.mongo.versions.find({ $or: wanted }).toArray();
    return new Map(found.map((document) => [document.app, versionOf(document).graph]));
  }

  async commit(edit: Edit): Promise<void> {
    const id = newId();
    const app = edit.after ?? edit.before;
    if (app && edit.version) await this.putDown(app, edit, id);
    const entry: Entry = { id, events: edit.events, audit: edit.audit };
    const counts = await this.compareAndSet(edit, entry);
    if (!counts) {
      await this.mongo.versions.deleteMany({ edit: id });
      throw new OutrunError();
    }
    this.wake();
    for (const redo of redoOf(edit)) await this.redo(app?.id ?? '', redo);
  }

  /**
   * Puts the version where the App will count it. One that lies there already belongs to a writer that has died or is
   * about to lose: the App is moved on a turn, so that he surely loses, and then it goes.
   */
  private async putDown(app: App, { before, version }: Edit, edit: string): Promise<void> {
    if (version === undefined) return;
    const { graph, ...entry } = version;
    const document = { ...entry, app: app.id, edit, patched: 0, graph: JSON.stringify(graph) };
    try {
      await this.mongo.versions.insertOne(document);
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      if (before) await this.clearWay(before);
      throw new OutrunError();
    }
  }

  private async clearWay({ id, turn, lastVersion }: App): Promise<void> {
    const moved = await this.mongo.apps.updateOne({ _id: id, turn }, { $inc: { turn: 1 } });
    if (moved.modifiedCount === 0) return;
    await this.mongo.versions.deleteMany({ app: id, number: { $gt: lastVersion } });
  }

  /** False when somebody was faster. */
  private async compareAndSet(edit: Edit, entry: Entry): Promise<boolean> {
    const { before, after } = edit;
    if (before === undefined) return after === undefined || this.insert(after, entry);
    const redo = redoOf(edit);
    const set = after ? { ...membersOf(after), live: true } : { live: false };
    const { modifiedCount } = await this.mongo.apps.updateOne(
      { _id: before.id, turn: before.turn },
      { $set: set, $inc: { turn: 1 }, $push: { outbox: entry, redo: { $each: redo } } as never },
    );
    return modifiedCount === 1;
  }

  private async insert(app: App, entry: Entry): Promise<boolean> {
    const kept = { _id: app.id, turn: 1, live: true, outbox: [entry], redo: [] };
    try {
      await this.mongo.apps.insertOne({ ...membersOf(app), ...kept });
      return true;
    } catch (error) {
      if (isDuplicate(error)) return false;
      throw error;
    }
  }

  /** Does what the writer of the App has not come to, as he died. */
  private async finish({ _id, redo }: AppDocument): Promise<void> {
    for (const each of redo) await this.redo(_id, each);
  }

  /** May be done again: it is taken off the App when it is done. */
  private async redo(app: string, { turn, number, ...set }: Redo): Promise<void> {
    const older = { app, number, patched: { $lt: turn } };
    await this.mongo.versions.updateOne(older, { $set: { ...set, patched: turn } });
    await this.mongo.apps.updateOne({ _id: app }, { $pull: { redo: { turn } } as never });
  }
}

function redoOf({ before, patch }: Edit): Redo[] {
  return before && patch ? [{ ...patch, turn: before.turn + 1 }] : [];
}

function filterOf({ tenant, namespace, q, status }: AppQuery): Filter<AppDocument> {
  return {
    tenant,
    live: true,
    ...(namespace !== undefined && { namespace }),
    ...(status !== undefined && { status }),
    ...(q !== undefined && { name: { $regex: q.replaceAll(/[^a-z0-9]/gi, String.raw`\$&`) } }),
  };
}
