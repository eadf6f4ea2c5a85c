import { startMongo, type MongoServer } from '@glacis/testbed/cluster';
import { newId } from '@glacis/runtime';
import { openMongo, type MongoCollections } from '../src/store/mongo/client.js';
import { sweepOrphans } from '../src/store/mongo/mongo-relay.js';
import { draftCases } from './cases/drafts.js';
import { importCases } from './cases/imports.js';
import { killCases } from './cases/kills.js';
import { nodeConfigCases } from './cases/node-configs.js';
import { withoutClusterCases } from './cases/without-cluster.js';
import { graphBody } from './graphs.js';
import { Stand, type StandOptions } from './stand.js';

// The same cases as on Postgres against a MongoDB-wire server, and what only there can go wrong.

let mongo: MongoServer;
beforeAll(async () => (mongo = await startMongo()), 600_000);
afterAll(() => mongo?.stop());

/** A store of its own in the server. */
const storeUrl = (database = newId()): string => mongo.url.replace('/glacis?', `/${database}?`);
const onMongo = (url = storeUrl(), options: StandOptions = {}): Promise<Stand> =>
  Stand.start({ ...options, settings: { ...options.settings, store: 'mongodb', storeUrl: url } });

describe('drafts and versions on MongoDB', () => {
  draftCases(() => onMongo());
});

describe('node configs on MongoDB', () => {
  nodeConfigCases(() => onMongo());
});

describe('import into MongoDB', () => {
  importCases(() => onMongo());
});

describe('without a cluster, on MongoDB', () => {
  withoutClusterCases((options) => onMongo(storeUrl(), options));
});

describe('writers that are killed, on Postgres', () => {
  killCases({ start: () => Stand.start(), store: () => ['postgres'] });
});

describe('writers that are killed, on MongoDB', () => {
  const database = newId();
  killCases({
    start: () => onMongo(storeUrl(database)),
    store: () => ['mongodb', storeUrl(database)],
  });
});

describe('versions that no App counts', () => {
  let stand: Stand;
  let collections: MongoCollections;
  beforeAll(async () => {
    const url = storeUrl();
    stand = await onMongo(url);
    collections = await openMongo(url);
    await stand.send('POST', '/graphs', { body: graphBody() });
  });
  afterAll(async () => {
    await collections.close();
    await stand.stop();
  });

  /** As a writer leaves it that dies before its App counts it. */
  async function leaveOrphan(number: number): Promise<void> {
    const first = await collections.versions.findOne({ number: 1 });
    const { _id, ...version } = first ?? ({} as never);
    await collections.versions.insertOne({ ...version, number, edit: newId() } as never);
  }

  const numbers = async (): Promise<number[]> =>
    (await collections.versions.find().sort({ number: 1 }).toArray()).map(({ number }) => number);

  test('are invisible, and in nobody`s way', async () => {
    await leaveOrphan(2);
    expect((await stand.send('GET', '/apps/team_demo/versions')).body).toHaveLength(1);
    expect((await stand.send('GET', '/apps/team_demo/versions/2/graph')).status).toBe(404);
    const saved = await stand.send('POST', '/apps/team_demo/graph', { body: graphBody() });
    expect([saved.status, saved.body.versionId, saved.headers.etag]).toEqual([200, 2, '"2"']);
    expect(await numbers()).toEqual([1, 2]);
  });

  test('are swept when they are older than any writer takes', async () => {
    await leaveOrphan(3);
    await sweepOrphans(collections, new Date(0));
    expect(await numbers()).toEqual([1, 2, 3]);
    await sweepOrphans(collections, new Date(Date.now() + 1000));
    expect(await numbers()).toEqual([1, 2]);
  });
});
