import { execFileSync, spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@glacis/testbed';
import { waitFor } from '@glacis/runtime';
import type { HttpServer } from '../src/http/server.js';
import { startLiveness } from '../src/liveness-server.js';

interface Pod {
  declarations: string;
  volume: string;
  environment: Record<string, string>;
  marker: string;
}

/** The pod of a component with edges of all types, on one volume. */
async function pod(component: string, volume?: string): Promise<Pod> {
  const folder = await temporaryFolder();
  const declarations = join(folder, '.RAMPART');
  const mount = volume ?? join(folder, 'volume');
  await mkdir(declarations);
  await mkdir(mount, { recursive: true });
  await writeFile(join(declarations, 'component.yaml'), component);
  const edge = (name: string, type: string, part: string): string =>
    `- name: ${name}\n  type: FlowType.${type}\n  part: IOPart.${part}\n`;
  const edges = [
    edge('in_1', 'VOLUME', 'INPUT'),
    edge('out_1', 'VOLUME', 'OUTPUT'),
    edge('repo', 'REPOSITORY', 'OUTPUT'),
    edge('topic', 'KAFKA', 'INPUT'),
  ];
  await writeFile(join(declarations, 'edges.yaml'), edges.join(''));
  const environment = { RAMPART_INPUT_in_1: mount, RAMPART_OUTPUT_out_1: mount };
  const marker = join(mount, '.RAMPART', component, 'out_1.in');
  return { declarations, volume: mount, environment, marker };
}

const open: HttpServer[] = [];

async function start({ declarations, environment }: Pod): Promise<HttpServer> {
  const settings = { host: '127.0.0.1', httpPort: 0, logLevel: 'error', declarations } as const;
  const server = await startLiveness(settings, environment);
  open.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function ask({ port }: HttpServer, path: string): Promise<[number, unknown]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return [response.status, await response.json()];
}

describe('graph-apps.md 7.3', () => {
  test('the marker is foo in <mount>/.RAMPART/<component>/<edge>.in, one per volume output', async () => {
    const own = await pod('my-component');
    await start(own);
    expect(await readFile(own.marker, 'utf8')).toBe('foo');
    const markers = await readdir(join(own.volume, '.RAMPART'), { recursive: true });
    expect(markers.toSorted()).toEqual(['my-component', 'my-component/out_1.in']);
  });

  test('/output/{edge} is true while the marker is there and intact, else false', async () => {
    const own = await pod('a');
    const server = await start(own);
    expect(await ask(server, '/output/out_1')).toEqual([200, true]);
    await writeFile(own.marker, 'bar');
    expect(await ask(server, '/output/out_1')).toEqual([200, false]);
    await rm(own.marker);
    expect(await ask(server, '/output/out_1')).toEqual([200, false]);
    execFileSync('mkfifo', [own.marker]);
    expect(await ask(server, '/output/out_1')).toEqual([200, false]);
  });

  test('/input/{edge} lists component and edge of all markers that can be read on that flow', async () => {
    const one = await pod('one');
    const two = await pod('two', one.volume);
    const server = await start(one);
    expect(await ask(server, '/input/in_1')).toEqual([200, [['one', 'out_1']]]);
    const other = await start(two);
    const both = [
      ['one', 'out_1'],
      ['two', 'out_1'],
    ];
    expect(await ask(server, '/input/in_1')).toEqual([200, both]);
    await writeFile(two.marker, 'damaged');
    await writeFile(join(one.volume, '.RAMPART/stray'), '');
    expect(await ask(other, '/input/in_1')).toEqual([200, [['one', 'out_1']]]);
    await rm(join(one.volume, '.RAMPART'), { recursive: true });
    expect(await ask(other, '/input/in_1')).toEqual([200, []]);
  });

  test('an unknown edge, one of the other part and one that is no volume are 404', async () => {
    const server = await start(await pod('a'));
    for (const path of [
      '/output/x',
      '/output/in_1',
      '/input/out_1',
      '/output/repo',
      '/input/topic',
    ]) {
      expect(await ask(server, path)).toMatchObject([404, { detail: 'Edge not found' }]);
    }
  });

  test('markers are restored at start and removed at shutdown', async () => {
    const own = await pod('a');
    await mkdir(join(own.volume, '.RAMPART/a'), { recursive: true });
    await writeFile(own.marker, 'broken');
    const server = await start(own);
    expect(await ask(server, '/output/out_1')).toEqual([200, true]);
    await server.close();
    expect(await readdir(join(own.volume, '.RAMPART/a'))).toEqual([]);
  });

  test('the pod that an update ends leaves the marker of its successor', async () => {
    const own = await pod('a');
    const before = await start(own);
    const after = await start(own);
    await before.close();
    expect(await ask(after, '/output/out_1')).toEqual([200, true]);
  });

  test('links that others have put into the volume are not followed', async () => {
    const own = await pod('a');
    const outside = await temporaryFolder();
    await mkdir(join(own.volume, '.RAMPART'));
    await symlink(outside, join(own.volume, '.RAMPART/a'));
    await mkdir(join(outside, 'b'));
    await writeFile(join(outside, 'b/x.in'), 'foo');
    await symlink(join(outside, 'b'), join(own.volume, '.RAMPART/b'));
    const server = await start(own);
    expect(await ask(server, '/output/out_1')).toEqual([200, false]);
    expect(await ask(server, '/input/in_1')).toEqual([200, []]);
    expect(await readdir(outside)).toEqual(['b']);
  });

  test('what is not declared as it should be ends the start with its name', async () => {
    const own = await pod('a');
    await expect(start({ ...own, environment: {} })).rejects.toThrow('RAMPART_INPUT_in_1');
    await writeFile(join(own.declarations, 'component.yaml'), '../x');
    await expect(start(own)).rejects.toThrow('component.yaml');
    await rm(join(own.declarations, 'edges.yaml'));
    await writeFile(join(own.declarations, 'component.yaml'), 'a');
    await expect(start(own)).rejects.toThrow('edges.yaml');
  });
});

test('the program removes its markers at SIGTERM and exits with 0', async () => {
  const own = await pod('a');
  const program = spawn(process.execPath, [join(import.meta.dirname, '../dist/liveness.js')], {
    env: {
      ...process.env,
      ...own.environment,
      GLACIS_LIVENESS_DECLARATIONS: own.declarations,
      GLACIS_LIVENESS_HTTP_PORT: '0',
    },
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => program.once('exit', resolve));
  await waitFor(async () => (await readFile(own.marker, 'utf8').catch(() => '')) === 'foo');
  program.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(await readdir(join(own.volume, '.RAMPART/a'))).toEqual([]);
});
