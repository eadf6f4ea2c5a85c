// The image of `docker/Dockerfile`, built by buildah on Debian with Node, as its users would build and run it.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  glacisBuild,
  glacisImage,
  imageFoundation,
  ImageStore,
  runContainer,
  type GlacisImage,
  type ImageConfig,
} from '@glacis/testbed/cluster';

const limitMb = 350;

let image: GlacisImage;
let root: string;
let config: ImageConfig;

const run = (...command: string[]): Promise<string> => {
  const { user, environment } = config;
  return runContainer({ root, user, environment, volume: '/var/lib/glacis', command });
};
async function megabytes(folder: string): Promise<number> {
  const { stdout } = await promisify(execFile)('du', ['-sm', folder]);
  return Number(stdout.split('\t')[0]);
}

beforeAll(async () => {
  image = await glacisImage();
  root = await image.store.mount(image.name);
  config = await image.store.config(image.name);
}, 900_000);

test('an ordinary user runs the whole suite, database included, on a read-only root file system', async () => {
  expect(await run('id', '-u')).toBe('65532\n');
  await expect(run('touch', '/opt/glacis/x')).rejects.toThrow('Read-only file system');
  const printed = await run('node', '/opt/glacis/apps/glacis/dist/demo.js');
  expect(printed).toMatch(
    /refused before any message[\s\S]*hash chain intact[\s\S]*stop the suite/,
  );
});

test('each program starts by its own command, and says what it lacks', async () => {
  expect(config.command).toEqual(['node', 'apps/glacis/dist/main.js']);
  expect(await run('glacis', '--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(await run('git', '--version')).toContain('git version');
  expect(await run('sh', '-c', 'ssh -V 2>&1')).toContain('OpenSSH');
  for (const service of ['gateway', 'backends', 'certificates']) {
    const program = `/opt/glacis/apps/${service}/dist/main.js`;
    await expect(run('node', program)).rejects.toThrow('DATABASE_URL');
  }
  await expect(run('node', '/opt/glacis/apps/manager/dist/main.js')).rejects.toThrow(
    'MANAGER_GRPC_CLIENT_CERT',
  );
});

test('nothing in it installs or builds, and nothing of the tests came along', async () => {
  const tools = 'npm npx yarn corepack tsc nx gcc make jest';
  const found = `for t in ${tools}; do command -v $t; done; true`;
  expect(await run('sh', '-c', found)).toBe('');
  const left = await run('find', '/opt/glacis', '-path', '*testbed*', '-o', '-name', '*.ts');
  expect(left).toBe('');
  expect(await run('find', '/opt/glacis', '!', '-user', 'root')).toBe('');
});

test(`it is at most ${limitMb} MB larger than its base, and tells where it comes from`, async () => {
  const bare = await image.store.mount(image.base);
  const [own, below] = [await megabytes(root), await megabytes(bare)];
  expect(own - below).toBeLessThanOrEqual(limitMb);
  expect(config.labels).toMatchObject({
    'org.opencontainers.image.title': 'Glacis',
    'org.opencontainers.image.licenses': 'Apache-2.0',
    'org.opencontainers.image.revision': glacisBuild.args.COMMIT,
  });
  expect(config.environment).toMatchObject({
    NODE_ENV: 'production',
    GLACIS_COMMIT: glacisBuild.args.COMMIT,
  });
});

test('the same sources give the same layers', async () => {
  // It has none of the layers that were built from them.
  const store = await ImageStore.open(await imageFoundation());
  try {
    await store.build({ name: image.name, ...glacisBuild });
    expect((await store.config(image.name)).layers).toEqual(config.layers);
  } finally {
    await store.close();
  }
}, 900_000);
