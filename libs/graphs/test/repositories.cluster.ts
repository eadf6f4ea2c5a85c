import { temporaryFolder } from '@glacis/testbed';
import { runCommand } from '@glacis/testbed/cluster';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gitServer } from './support/git-server.js';
import {
  claim,
  clone,
  cloneOf,
  git,
  init,
  local,
  path,
  run,
  stranger,
} from './support/repositories.js';

async function commit(folder: string, name: string, text: string): Promise<void> {
  await writeFile(join(folder, name), text);
  await git(folder, 'add', '--', name);
  await git(folder, '-c', 'user.name=T', '-c', 'user.email=t@t', 'commit', '-qm', name);
}

describe('graph-apps.md 4.8: init of a repository', () => {
  it('makes what is missing, and changes nothing the next time', async () => {
    const origin = await claim();
    await init(origin, { ...local, defaultBranch: 'trunk' });
    expect((await readdir(origin)).toSorted()).toEqual(['bare.git', 'bare_clone']);
    expect(await git(join(origin, 'bare.git'), 'symbolic-ref', 'HEAD')).toBe('refs/heads/trunk');
    expect((await stat(join(origin, 'bare.git/objects'))).mode & 0o777).toBe(0o777);
    await commit(join(origin, 'bare_clone'), 'kept', 'x');
    await git(join(origin, 'bare_clone'), 'push', '-q', 'origin', 'HEAD');
    await rm(join(origin, 'bare_clone'), { recursive: true });
    // What a killed run leaves.
    await mkdir(join(origin, '.unfinished/refs'), { recursive: true });
    await init(origin, { ...local, defaultBranch: 'other' });
    expect(await git(join(origin, 'bare.git'), 'symbolic-ref', 'HEAD')).toBe('refs/heads/trunk');
    expect(await readFile(join(origin, 'bare_clone/kept'), 'utf8')).toBe('x');
    expect((await readdir(origin)).toSorted()).toEqual(['bare.git', 'bare_clone']);
  });

  it('says that dvc is missing where it is', async () => {
    const env = { PATH: '/usr/bin:/bin' };
    const done = init(await claim(), { kind: 'dvc', size: '1Gi' }, { env });
    await expect(done).rejects.toThrow('dvc is not in this image');
  });
});

describe('graph-apps.md 4.8: clone of a repository', () => {
  it('takes a local one that is still empty, and pushes into it as another user', async () => {
    const origin = await claim();
    await init(origin, local, { uid: 65_532 });
    const made = await cloneOf({ ...local, defaultBranch: 'main' }, origin);
    await clone(made, { uid: stranger });
    expect(await git(made.folder, 'config', 'user.name')).toBe('Rampart');
    expect(await git(made.folder, 'config', 'user.email')).toBe('rampart@petuum.com');
    const push = 'echo 1 > f; git add f; git commit -qm f; git push -q origin HEAD; git fetch -q';
    const config = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory' };
    const env = { ...config, GIT_CONFIG_VALUE_0: made.folder, HOME: '/nonexistent' };
    await run(`cd ${made.folder}; set -e; ${push}`, env, { uid: stranger });
    expect(await git(join(origin, 'bare.git'), 'log', '--format=%s', 'main')).toBe('f');
    const second = await cloneOf(local, origin);
    await clone(second);
    expect(await readFile(join(second.folder, 'f'), 'utf8')).toBe('1\n');
  });

  it('goes on where it was killed, and leaves alone what is there', async () => {
    const origin = await claim();
    await init(origin, local);
    await commit(join(origin, 'bare_clone'), 'f', 'x');
    await git(join(origin, 'bare_clone'), 'push', '-q', 'origin', 'HEAD');
    const made = await cloneOf(local, origin);
    await mkdir(join(made.folder, '.cloning/.git'), { recursive: true });
    await clone(made);
    expect((await readdir(made.folder)).toSorted()).toEqual(['.git', 'f']);
    await rm(join(made.folder, 'f'));
    await rm(join(made.folder, '.git/index'));
    await writeFile(join(made.folder, '.git/index.lock'), '');
    await clone(made);
    expect((await readdir(made.folder)).toSorted()).toEqual(['.git', 'f']);
    await writeFile(join(made.folder, 'f'), 'of the component');
    await clone(made);
    expect(await readFile(join(made.folder, 'f'), 'utf8')).toBe('of the component');
    const used = await cloneOf(local, origin);
    await writeFile(join(used.folder, 'own'), '');
    await clone(used);
    expect(await readdir(used.folder)).toEqual(['own']);
  });

  it('reads nothing that is data as an option or as a command', async () => {
    const mark = join(await temporaryFolder(), 'mark');
    const evil = `--upload-pack=touch ${mark}`;
    for (const remote of [evil, `ext::sh -c "touch ${mark}"`, `$(touch ${mark})`, '-c']) {
      const made = await cloneOf({ ...local, remote, defaultBranch: evil }, '/none');
      await expect(clone(made)).rejects.toThrow('failed');
    }
    const origin = await claim();
    await init(origin, { ...local, username: '--global', useremail: `$(touch ${mark})` });
    const made = await cloneOf(
      { ...local, username: '--unset', useremail: `'; touch ${mark}` },
      origin,
    );
    await clone(made);
    expect(await git(made.folder, 'config', 'user.name')).toBe('--unset');
    await expect(stat(mark)).rejects.toThrow('ENOENT');
  });

  it('takes one over HTTP with the Secret, also to push, and copies no password', async () => {
    const root = await temporaryFolder();
    await runCommand('git', ['init', '-q', '--bare', '-b', 'main', join(root, 'r.git')]);
    await git(join(root, 'r.git'), 'config', 'http.receivepack', 'true');
    const account = { username: 'anna', password: `it's "$HOME" \\n %s` };
    const server = await gitServer(root, account);
    try {
      const remote = `${server.url}/r.git`;
      const made = await cloneOf({ ...local, remote, secret: 'account' }, '/none');
      await expect(clone(made)).rejects.toThrow('username cannot be read');
      for (const [name, text] of Object.entries(account)) {
        await writeFile(join(made.secrets.git, name), `${text}\n`);
      }
      await clone(made);
      await commit(made.folder, 'f', 'x');
      await git(made.folder, 'push', '-q', 'origin', 'HEAD');
      expect(await git(join(root, 'r.git'), 'log', '--format=%s', 'main')).toBe('f');
      expect(await readFile(join(made.folder, '.git/config'), 'utf8')).not.toContain('HOME');
      expect(await git(made.folder, 'config', '--local', '--list')).not.toContain('user.');
    } finally {
      await server.stop();
    }
  });

  it('gives ssh the key, and the known hosts where the Secret has them', async () => {
    const origin = await claim();
    await init(origin, local);
    await commit(join(origin, 'bare_clone'), 'f', 'x');
    await git(join(origin, 'bare_clone'), 'push', '-q', 'origin', 'HEAD');
    const bin = await temporaryFolder();
    // Says how it was called and does what the other host would do.
    const ssh = `#!/bin/sh\necho "$@" >> ${bin}/calls\nfor last; do :; done\nexec sh -c "$last"\n`;
    await writeFile(join(bin, 'ssh'), ssh, { mode: 0o755 });
    const remote = `git@host:${origin}/bare.git`;
    const made = await cloneOf({ ...local, remote, secret: 'key' }, '/none');
    await writeFile(join(made.secrets.git, 'ssh-privatekey'), 'key');
    await writeFile(join(made.secrets.git, 'known_hosts'), 'hosts');
    await clone(made, { env: { PATH: `${bin}:${path}` } });
    expect(await readFile(join(made.folder, 'f'), 'utf8')).toBe('x');
    const calls = await readFile(join(bin, 'calls'), 'utf8');
    expect(calls).toContain(`-i ${made.secrets.git}/ssh-privatekey`);
    expect(calls).toContain('StrictHostKeyChecking=yes');
    expect(calls).toContain(`UserKnownHostsFile=${made.secrets.git}/known_hosts`);
  });
});
