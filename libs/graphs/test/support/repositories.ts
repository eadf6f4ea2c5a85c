import { temporaryFolder } from '@glacis/testbed';
import { runCommand } from '@glacis/testbed/cluster';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cloneVariables, type Clone } from '../../src/render/clone.js';
import { initVariables } from '../../src/render/init-jobs.js';
import { repositoryFacts } from '../../src/render/repository-flow.js';
import { cloneScript } from '../../src/render/scripts/clone.js';
import { initScript } from '../../src/render/scripts/init.js';
import type { DvcConfig, GitConfig } from '../../src/graph.js';

export const path = process.env.PATH ?? '';
/** A user that owns nothing. */
export const stranger = 12_345;

type Config = GitConfig | DvcConfig;
export interface Options {
  env?: Record<string, string>;
  uid?: number;
}

const variables = (list: { name: string; value: string }[]) =>
  Object.fromEntries(list.map(({ name, value }) => [name, value]));

export function run(
  script: string,
  env: Record<string, string>,
  { uid, ...options }: Options = {},
) {
  const user = uid === undefined ? [] : [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
  const args = [...user, '--', 'sh', '-c', script];
  return runCommand('setpriv', args, { env: { PATH: path, ...env, ...options.env }, cwd: '/' });
}

export const git = (folder: string, ...args: string[]) =>
  runCommand('git', ['-c', 'safe.directory=*', '-C', folder, ...args]).then((text) => text.trim());

export async function claim(): Promise<string> {
  const folder = join(await temporaryFolder(), 'claim');
  await mkdir(folder);
  await open(folder);
  return folder;
}

/** As storage classes make folders; with those above it. */
async function open(folder: string): Promise<void> {
  await chmod(folder, 0o777);
  await chmod(join(folder, '..'), 0o755);
}

export const init = (folder: string, config: Config, options?: Options) =>
  run(initScript, variables(initVariables(repositoryFacts(config), folder)), options);

export async function cloneOf(config: Config, origin: string): Promise<Clone> {
  const folder = await claim();
  const secrets = join(await temporaryFolder(), 'secrets');
  for (const kind of ['git', 'dvc']) await mkdir(join(secrets, kind), { recursive: true });
  const places = { git: join(secrets, 'git'), dvc: join(secrets, 'dvc') };
  return { facts: repositoryFacts(config), folder, origin, secrets: places };
}

export const clone = (made: Clone, options?: Options) =>
  run(cloneScript, variables(cloneVariables(made)), options);

export const local: GitConfig = { kind: 'git', size: '1Gi' };
