import { mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** What helm needs of our environment; the rest, such as tokens, is not its business. */
const passedOn = [
  'PATH',
  'TMPDIR',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'KUBERNETES_SERVICE_HOST',
  'KUBERNETES_SERVICE_PORT',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
];

/**
 * The folder of one graph, mode 0700: whatever is in it can be made again. Its few small files are written at once: the
 * way to the thread pool and back costs several times what they do.
 */
export class WorkFolder {
  readonly path: string;

  /**
   * @param root holds those of all graphs; empty: below the folder for temporary files
   * @param name of the graph in it
   */
  constructor(root: string, name: string) {
    this.path = join(root || join(tmpdir(), 'glacis-graphs'), name);
  }

  /** Most reconciles need none. */
  make(): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
  }

  /** Of a process in it; its own files lie in the folder, too. */
  environment(kubeconfig?: string): NodeJS.ProcessEnv {
    const ours = passedOn.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    return {
      ...Object.fromEntries(ours),
      HOME: this.path,
      HELM_CACHE_HOME: join(this.path, 'cache'),
      HELM_CONFIG_HOME: join(this.path, 'config'),
      HELM_DATA_HOME: join(this.path, 'data'),
      HELM_DRIVER: 'secret',
      ...(kubeconfig !== undefined && { KUBECONFIG: kubeconfig }),
    };
  }

  /** Writes a file of mode 0600 for the next process. @param place in the folder @returns its path */
  write(place: string, content: string): string {
    const file = resolve(this.path, place);
    try {
      writeFileSync(file, content, { mode: 0o600 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(file, content, { mode: 0o600 });
    }
    return file;
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
