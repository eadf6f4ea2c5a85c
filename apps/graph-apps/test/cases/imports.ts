import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@glacis/testbed';
import { importFolder } from '../../src/import/importer.js';
import { APPS_STORE, type AppsStore } from '../../src/store/apps-store.js';
import { NODE_CONFIGS_STORE, type NodeConfigsStore } from '../../src/store/node-configs-store.js';
import { simpleGraph } from '../graphs.js';
import { Stand } from '../stand.js';

// `graph-apps.md` 6.6, importer. Files in the layout of TinyDB, written by hand. Run on both stores.

type Row = Record<string, unknown>;

const appRow = (name: string, more: Row = {}): Row => ({
  uid: 'None',
  app_id: `team_${name}`,
  namespace: 'team',
  name,
  desc: 'kept',
  active: 'False',
  labels: { owner: 'us' },
  graph: {},
  lastEditTimestamp: '2023-05-01T10:00:00.123456',
  lastDeploymentTimestamp: null,
  ...more,
});

const versionRow = (
  name: string,
  version: number | string,
  config: object = {},
  more: Row = {},
): Row => ({
  namespace: 'team',
  name,
  version,
  hash: 'of an older kind',
  status: null,
  active: 'False',
  lastDeploymentTimestamp: null,
  notes: `note ${version}`,
  graph: {
    object: {
      apiVersion: 'rampart.petuum.com/v1beta1',
      kind: 'RampartGraph',
      metadata: { name, namespace: 'team', uid: 'x' },
      spec: { graph: simpleGraph({ ...config }) },
      status: { phase: 'Deployed' },
    },
    timestamp: '2023-05-01T09:00:00',
    uid: 'x',
  },
  ...more,
});

const configId = '0123456789abcdef0123456789abcdef';
const configRow: Row = {
  id: configId,
  title: 'old',
  config: { a: 1 },
  type: 't',
  nodeType: 'n',
  creationTimestamp: '2023-05-01T10:00:00',
  lastModifiedTimestamp: null,
  version: 3,
};

export function importCases(start: () => Promise<Stand>): void {
  let stand: Stand;
  let lines: string[];
  beforeAll(async () => (stand = await start()));
  afterAll(() => stand.stop());

  async function folderOf(files: Record<string, Row[]>): Promise<string> {
    const folder = await temporaryFolder();
    for (const [name, rows] of Object.entries(files)) {
      const table = Object.fromEntries(rows.map((row, i) => [String(i + 1), row]));
      await writeFile(join(folder, name), JSON.stringify({ _default: table }));
    }
    return folder;
  }

  async function run(folder: string, dryRun = false): Promise<void> {
    lines = [];
    const find = <T>(token: symbol): T => stand.program.app.get(token, { strict: false });
    await importFolder(folder, {
      apps: find<AppsStore>(APPS_STORE),
      nodeConfigs: find<NodeConfigsStore>(NODE_CONFIGS_STORE),
      tenant: 'tenant-a',
      dryRun,
      report: (line) => lines.push(line),
      now: new Date(),
    });
  }

  const everything = async (): Promise<string> => {
    const paths = ['/apps', '/apps/team_one', '/apps/team_one/versions', '/node-configs'];
    const replies = await Promise.all(paths.map((path) => stand.send('GET', path)));
    return JSON.stringify(replies.map(({ text, headers }) => [text, headers.etag]));
  };

  test('6.6: Apps, versions and node configs of Rampart are taken over, and a second run changes nothing', async () => {
    const folder = await folderOf({
      'apps.json': [
        appRow('one', { desc: 'older', lastEditTimestamp: '2022-01-01T00:00:00' }),
        appRow('one', { active: 'True', uid: 'a-uid' }),
        appRow('empty'),
      ],
      'versions.json': [
        versionRow('one', 1),
        versionRow('one', '3', { replicas: 1 }),
        versionRow(
          'one',
          3,
          { replicas: 2 },
          { active: 'True', creationTimestamp: '2023-06-01T00:00:00' },
        ),
      ],
      'configs.json': [configRow],
    });
    await run(folder, true);
    expect(await everything()).toContain('graph_not_found');
    await run(folder);
    expect(lines).toEqual([
      expect.stringContaining('team_one: has several rows'),
      'team_one: 2 of 2 versions are taken over',
      expect.stringContaining('team_empty: has no versions'),
      `node config ${configId}: is taken over`,
    ]);
    const app = (await stand.send('GET', '/apps/team_one')).body;
    expect(app).toMatchObject({ id: 'a-uid', activeVersion: 3, readOnly: false });
    const versions = (await stand.send('GET', '/apps/team_one/versions')).body;
    expect(versions).toMatchObject([
      {
        version: '1',
        source: 'import',
        notes: 'note 1',
        lastEdit: '2023-05-01T09:00:00.000000+00:00',
      },
      { version: '3', deployed: true, lastEdit: '2023-06-01T00:00:00.000000+00:00' },
    ]);
    expect(versions[1].hash).toMatch(/^[\da-f]{32}$/);
    const shown = (await stand.send('GET', '/apps/team_one/versions/3/graph')).body;
    expect(shown.graph).toEqual({
      apiVersion: 'rampart.petuum.com/v1beta1',
      kind: 'RampartGraph',
      metadata: { name: 'one', namespace: 'team' },
      spec: { graph: simpleGraph({ replicas: 2 }) },
    });
    expect((await stand.send('GET', `/node-configs/${configId}`)).body).toMatchObject({
      version: 3,
    });
    const before = await everything();
    await run(folder);
    expect(await everything()).toBe(before);
    const next = await stand.send('POST', '/apps/team_one/graph', {
      body: {
        apiVersion: 'rampart.petuum.com/v1beta2',
        kind: 'RampartGraph',
        metadata: {},
        spec: { graph: simpleGraph() },
      },
    });
    expect(next.body.versionId).toBe(4);
  });

  test('6.6: an import that was cut short goes on where it was', async () => {
    const rows = [1, 2, 3].map((version) => versionRow('cut', version, { version }));
    await run(await folderOf({ 'apps.json': [appRow('cut')], 'versions.json': rows.slice(0, 1) }));
    await run(await folderOf({ 'apps.json': [appRow('cut')], 'versions.json': rows }));
    expect(lines).toEqual(['team_cut: 2 of 3 versions are taken over']);
    expect((await stand.send('GET', '/apps/team_cut/versions')).body).toHaveLength(3);
  });

  test.each([
    ['apps.json', appRow('bad', { active: 'yes' }), 'apps.json, row 1: active'],
    ['versions.json', versionRow('bad', 0), 'versions.json, row 1: version'],
    ['configs.json', { ...configRow, config: 'x' }, 'configs.json, row 1: config'],
  ])(
    '6.6: a row of %s that does not hold is named, and nothing is written',
    async (name, row, text) => {
      const good = { 'apps.json': [appRow('fine')], 'versions.json': [versionRow('fine', 1)] };
      await expect(run(await folderOf({ ...good, [name]: [row] }))).rejects.toThrow(text);
      expect((await stand.send('GET', '/apps/team_fine')).status).toBe(404);
    },
  );
}
