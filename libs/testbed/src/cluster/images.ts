import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cached } from './cache.js';
import { runCommand } from './command.js';
import { requireProgram } from './programs.js';

/** Seconds since 1970 that every file of an image carries, so that the same sources give the same layers. */
const timestamp = '0';

export interface BuildOptions {
  /** Name and tag, such as `localhost/glacis:test`. */
  name: string;
  /** Folder that is copied from. */
  context: string;
  /** Default `Dockerfile` in the context. */
  dockerfile?: string;
  /** The stage that is built, with those that it needs. Default: the last one. */
  target?: string;
  args?: Readonly<Record<string, string>>;
}

/** What an image holds and how a container of it is to be started. */
export interface ImageConfig {
  /** Digests of the uncompressed layers, from the base on. */
  layers: string[];
  user: string;
  command: string[];
  environment: Record<string, string>;
  labels: Record<string, string>;
}

/** Images without a registry and without a daemon, made by buildah in a folder of its own. Needs root. */
export class ImageStore {
  private constructor(
    readonly folder: string,
    private readonly below?: string,
  ) {}

  /**
   * A store that another process has opened and will close, or a folder that becomes one.
   * @param below folder of a store whose images are in this one as well; nothing is written to it
   */
  static at(folder: string, below?: string): ImageStore {
    return new ImageStore(folder, below);
  }

  /** @throws {MissingProgramError} naming the Debian package that is missing */
  static async open(below?: string): Promise<ImageStore> {
    await requireProgram('buildah', 'buildah');
    return new ImageStore(await mkdtemp(join(tmpdir(), 'glacis-images-')), below);
  }

  /** Builds, but for the steps that were built in this store or in the one below, from the same files. */
  async build(options: BuildOptions): Promise<void> {
    const { name, context, dockerfile, target, args: variables = {} } = options;
    const given = Object.entries(variables).flatMap(([key, value]) => [
      '--build-arg',
      `${key}=${value}`,
    ]);
    if (target !== undefined) given.push('--target', target);
    const file = dockerfile ?? join(context, 'Dockerfile');
    const usual = ['--isolation', 'chroot', '--layers', '--timestamp', timestamp];
    const args = this.arguments('bud', ...usual, ...given, '-f', file, '-t', name, context);
    // In namespaces of their own the commands of the file end with whoever asked for the build.
    const own = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
    await runCommand('setpriv', ['--pdeathsig=KILL', ...own, 'buildah', ...args]);
  }

  /** Debian with Node and npm of this machine: what the official images of Node are. */
  async nodeBase(name: string): Promise<void> {
    const root = await debianRoot();
    const made = (await this.buildah('from', 'scratch')).trim();
    const target = (await this.buildah('mount', made)).trim();
    await runCommand('cp', ['-a', `${root}/.`, target]);
    await copyNode(target);
    // Whoever inspects the traffic of this machine does so for builds in it.
    const trusted = '/etc/ssl/certs/ca-certificates.crt';
    await cp(trusted, join(target, trusted));
    await this.buildah('config', '--env', `NODE_EXTRA_CA_CERTS=${trusted}`, made);
    await this.buildah('commit', '--quiet', '--rm', '--timestamp', timestamp, made, name);
  }

  /** One program of this machine and nothing else. @param path of it in the image */
  async programImage(name: string, program: string, path: string): Promise<void> {
    const made = (await this.buildah('from', 'scratch')).trim();
    await this.buildah('copy', '--chmod', '755', made, program, path);
    await this.buildah('commit', '--quiet', '--rm', '--timestamp', timestamp, made, name);
  }

  async config(name: string): Promise<ImageConfig> {
    const told = JSON.parse(await this.buildah('inspect', '--type', 'image', name)) as Inspected;
    const { config, rootfs } = told.OCIv1;
    return {
      layers: rootfs.diff_ids,
      user: config.User ?? '',
      command: config.Cmd ?? [],
      environment: Object.fromEntries((config.Env ?? []).map((line) => line.split(/=(.*)/s, 2))),
      labels: config.Labels ?? {},
    };
  }

  /** The root file system of a fresh container of the image, until `close`. */
  async mount(name: string): Promise<string> {
    const container = (await this.buildah('from', '--pull-never', name)).trim();
    return (await this.buildah('mount', container)).trim();
  }

  /** Writes the image as an archive that `docker load` and `ctr images import` take. */
  async save(name: string, archive: string): Promise<void> {
    await this.buildah('push', '--quiet', name, `docker-archive:${archive}:${name}`);
  }

  async close(): Promise<void> {
    await this.buildah('rm', '--all');
    await this.buildah('rmi', '--all', '--force');
    await rm(this.folder, { recursive: true, force: true });
  }

  private buildah(...args: string[]): Promise<string> {
    return runCommand('buildah', this.arguments(...args));
  }

  private arguments(...args: string[]): string[] {
    const store = ['--root', join(this.folder, 'root'), '--runroot', join(this.folder, 'run')];
    const below = this.below
      ? [`--storage-opt=overlay.imagestore=${join(this.below, 'root')}`]
      : [];
    return [...store, '--storage-driver', 'overlay', ...below, ...args];
  }
}

interface Inspected {
  OCIv1: {
    config: { User?: string; Cmd?: string[]; Env?: string[]; Labels?: Record<string, string> };
    rootfs: { diff_ids: string[] };
  };
}

/** The root file system of a small Debian with git, kept once it was made. */
async function debianRoot(): Promise<string> {
  await requireProgram('debootstrap', 'debootstrap');
  const folder = await cached('debian-bookworm-git-1', async (draft) => {
    const packages = '--include=ca-certificates,libstdc++6,git,openssh-client';
    const root = join(draft, 'root');
    await runCommand('debootstrap', ['--variant=minbase', packages, 'bookworm', root]);
    await rm(join(root, 'var/cache/apt'), { recursive: true, force: true });
    await rm(join(root, 'var/lib/apt/lists'), { recursive: true, force: true });
  });
  return join(folder, 'root');
}

/** Node of this process and the npm beside it, to where the official images have them. */
async function copyNode(target: string): Promise<void> {
  const bin = join(target, 'usr/local/bin');
  const modules = join(target, 'usr/local/lib/node_modules');
  await mkdir(modules, { recursive: true });
  await cp(process.execPath, join(bin, 'node'));
  const npm = (await runCommand('npm', ['root', '--global'])).trim();
  await cp(join(npm, 'npm'), join(modules, 'npm'), { recursive: true });
  const manifest = await readFile(join(modules, 'npm/package.json'), 'utf8');
  const { bin: programs } = JSON.parse(manifest) as { bin: Record<string, string> };
  for (const [name, path] of Object.entries(programs)) {
    const file = join('../lib/node_modules/npm', path);
    await mkdir(dirname(join(bin, name)), { recursive: true });
    await symlink(file, join(bin, name));
  }
}
