import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cached, cacheFolder } from './cache.js';
import { runCommand } from './command.js';
import { requireProgram } from './programs.js';

/** A main package of somebody else's module. */
export interface GoProgram {
  /** Of the executable, and with the version that of its folder in the cache. */
  name: string;
  module: string;
  /** Of the module, such as `v1.35.4`. */
  version: string;
  /** The main package. Default: the module itself. */
  package?: string;
  /** The published version of the modules that this one takes from folders of its own repository. Default: none. */
  localModules?: string;
  /** `-X name=value` of the linker: strings that the program is built with. */
  variables?: Readonly<Record<string, string>>;
}

/**
 * The path of a program that is built from the Go module proxy at the first call on a machine and kept. Builds run one
 * after the other, whoever asks for them, with the rest of the machine's work going first; a build ends with the
 * process that asked for it.
 * @throws {MissingProgramError} without Go, for the first call
 */
export async function goProgram(program: GoProgram): Promise<string> {
  const { name, version } = program;
  const folder = await cached(`${name}-${version}`, (draft) => build(program, draft));
  return join(folder, name);
}

async function build(program: GoProgram, folder: string): Promise<void> {
  const { name, module, version, package: main = module, variables = {} } = program;
  const go = await requireProgram('go', 'golang-go');
  console.error(`building ${name} ${version} into ${dirname(folder)}, once for this machine`);
  const replacements = program.localModules
    ? await publishedModules(go, `${module}@${version}`, program.localModules)
    : [];
  const lines = ['module testbed', 'go 1.25.0', `require ${module} ${version}`, ...replacements];
  await writeFile(join(folder, 'go.mod'), `${lines.join('\n')}\n`);
  const strings = Object.entries(variables).map(([variable, value]) => `-X ${variable}=${value}`);
  const flags = ['-mod=mod', '-trimpath', '-ldflags', ['-s -w', ...strings].join(' ')];
  const queue = join(cacheFolder(), 'go-builds.lock');
  await mkdir(cacheFolder(), { recursive: true });
  await runCommand(
    'setpriv',
    // Each replaces itself by the next, so that the signal at our end reaches the compiler.
    ['--pdeathsig=KILL', 'flock', '--no-fork', queue, 'nice', '-n', '10'].concat(
      [go, 'build', ...flags],
      ['-o', join(folder, name), main],
    ),
    { cwd: folder, env: { ...process.env, CGO_ENABLED: '0' } },
  );
}

/**
 * The folder of somebody else's module, fetched from the Go module proxy at the first call on a machine.
 * @throws {MissingProgramError} without Go
 */
export async function goModule(module: string, version: string): Promise<string> {
  const go = await requireProgram('go', 'golang-go');
  return (await download(go, `${module}@${version}`)).Dir;
}

/** @param target module@version */
async function download(go: string, target: string): Promise<{ Dir: string; GoMod: string }> {
  const told = await runCommand(go, ['mod', 'download', '-json', target]);
  return JSON.parse(told) as { Dir: string; GoMod: string };
}

/** A module's `replace` lines count only where it is built itself; folders stand for what is published beside it. */
async function publishedModules(go: string, target: string, version: string): Promise<string[]> {
  const { GoMod: file } = await download(go, target);
  const manifest = JSON.parse(await runCommand(go, ['mod', 'edit', '-json', file])) as {
    Replace?: { Old: { Path: string }; New: { Path: string } }[];
  };
  return (manifest.Replace ?? [])
    .filter((replace) => replace.New.Path.startsWith('./'))
    .map(({ Old: { Path: path } }) => `replace ${path} => ${path} ${version}`);
}
