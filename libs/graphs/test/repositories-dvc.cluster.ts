import { runCommand } from '@glacis/testbed/cluster';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DvcConfig } from '../src/graph.js';
import { dvcFolder } from './support/dvc.js';
import { claim, clone, cloneOf, git, init, path } from './support/repositories.js';

describe('graph-apps.md 4.8: dvc', () => {
  const dvc: DvcConfig = { kind: 'dvc', size: '1Gi' };
  let env: Record<string, string>;
  beforeAll(async () => {
    env = { PATH: `${await dvcFolder()}:${path}` };
  }, 900_000);
  const remotes = async (folder: string) =>
    runCommand('dvc', ['config', '--list'], { cwd: folder, env: { ...process.env, ...env } });

  it('stores in the claim by default, wherever that is mounted', async () => {
    const origin = await claim();
    await init(origin, dvc, { env });
    await init(origin, dvc, { env });
    const log = await git(join(origin, 'bare.git'), 'log', '--format=%s', 'main');
    expect(log).toBe('Set up DVC');
    expect((await stat(join(origin, 'artifact'))).mode & 0o777).toBe(0o777);
    const elsewhere = `${origin}-elsewhere`;
    await runCommand('cp', ['-a', origin, elsewhere]);
    const made = await cloneOf(dvc, elsewhere);
    await clone(made, { env });
    expect(await remotes(made.folder)).toContain(
      `remote.rampart-local.url=${elsewhere}/artifact\n`,
    );
    expect(await git(made.folder, 'status', '--porcelain')).toBe('');
  });

  it('adds the storage and the keys of a remote repository in the clone only', async () => {
    const origin = await claim();
    const storage = { storageRemote: 's3://bucket/x', storageRemoteName: 'theirs' } as const;
    await init(origin, { ...dvc, ...storage }, { env });
    expect(await remotes(join(origin, 'bare_clone'))).toContain(
      'remote.theirs.url=s3://bucket/x\n',
    );
    const remote = join(origin, 'bare.git');
    const other = { ...dvc, remote, storageRemote: 's3://other/y', storageSecret: 'keys' };
    const made = await cloneOf({ ...other, storageRemoteName: 'ours' }, '/none');
    await writeFile(join(made.secrets.dvc, 'access_key_id'), 'id\n');
    await writeFile(join(made.secrets.dvc, 'secret_access_key'), '-key\n');
    await clone(made, { env });
    expect(await remotes(made.folder)).toContain('remote.ours.url=s3://other/y\n');
    const config = await readFile(join(made.folder, '.dvc/config.local'), 'utf8');
    expect(config).toContain('access_key_id = id');
    expect(config).toContain('secret_access_key = -key');
    expect(await git(made.folder, 'status', '--porcelain')).toBe('');
  });
});
