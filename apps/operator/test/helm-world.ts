import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResolvedChart } from '@glacis/graphs';
import { ApiServer, builtIns, openAccess, ResourceClient } from '@glacis/kube';
import { waitFor } from '@glacis/runtime';
import { findProcesses, temporaryFolder } from '@glacis/testbed';
import {
  helmProgram,
  runCommand,
  startKubernetes,
  type KubernetesCluster,
} from '@glacis/testbed/cluster';
import {
  Helm,
  Launcher,
  releaseSelector,
  releasesOf,
  WorkFolder,
  type HelmOptions,
  type Release,
  type ReleaseSecret,
} from '../src/graphs/helm/index.js';
import { filesOf, serve, type TestServer } from './chart-server.js';
import { valuesTemplate, workloadTemplate, writeChart, type TestChart } from './charts.js';

export const annotation = 'inputs: []\noutputs: []\n';
const stuck = `${valuesTemplate}  never: ready\n---\n${workloadTemplate}`;
const held = valuesTemplate.replace('metadata:', 'metadata:\n  finalizers: [test/held]');
const charts: TestChart[] = [
  { name: 'simple', version: '1.0.0', annotation },
  { name: 'simple', version: '1.1.0' },
  { name: 'simple', version: '2.0.0-rc.1' },
  { name: 'stuck', version: '1.0.0', templates: { stuck } },
  { name: 'held', version: '1.0.0', templates: { held } },
  { name: 'broken', version: '1.0.0' },
];

export interface Stand {
  helm: Helm;
  folder: WorkFolder;
  namespace: string;
}

/** helm as the operator runs it, on a real API server, with a repository of charts. */
export class HelmWorld {
  private readonly launcher = new Launcher();
  private stands = 0;

  private constructor(
    readonly cluster: KubernetesCluster,
    readonly server: ApiServer,
    /** Where the archives of the charts lie. */
    readonly folder: string,
    private readonly repository: TestServer,
  ) {}

  static async open(): Promise<HelmWorld> {
    const cluster = await startKubernetes();
    try {
      const server = new ApiServer(await openAccess({ kubeconfig: cluster.admin.file }));
      const folder = await packagedCharts(cluster);
      return new HelmWorld(cluster, server, folder, await serve(filesOf(folder)));
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.launcher.close();
    await this.repository.stop();
    await this.cluster.stop();
  }

  inRepository(name: string, version = '1.0.0'): ResolvedChart {
    const url = `http://${this.repository.address}`;
    return { repository: { kind: 'url', url }, name, version };
  }

  /** helm with a Namespace and a work folder of its own. */
  async stand(options: Partial<HelmOptions> = {}): Promise<Stand> {
    this.stands += 1;
    const namespace = `n${this.stands}`;
    await this.cluster.kubectl('create', 'namespace', namespace);
    const folder = new WorkFolder(await temporaryFolder(), namespace);
    const helm = new Helm(folder, {
      program: await helmProgram(),
      run: this.launcher.run,
      installTimeoutSeconds: 60,
      repoTimeoutSeconds: 30,
      kubeconfig: this.cluster.admin.file,
      ...options,
    });
    return { helm, folder, namespace };
  }

  async releases(namespace: string): Promise<Release[]> {
    const secrets = new ResourceClient(this.server, builtIns.secrets);
    const { items } = await secrets.list({ namespace, labelSelector: releaseSelector });
    return releasesOf(items as ReleaseSecret[]);
  }

  async release(namespace: string): Promise<Release | undefined> {
    return (await this.releases(namespace)).find(({ name }) => name === 'component');
  }

  /** Once it is in this state. */
  inState(namespace: string, status: string): Promise<Release> {
    return waitFor(
      async () => {
        const found = await this.release(namespace);
        return found?.status === status && found;
      },
      { deadlineMs: 60_000, everyMs: 50, what: status },
    );
  }
}

export const install = (
  { helm, namespace }: Stand,
  chart: ResolvedChart,
  values: object = {},
): ReturnType<Helm['install']> => helm.install({ release: 'component', namespace, chart, values });

/** Kills helm itself, in whose environment the work folder stands. */
export async function killHelm({ folder }: Stand): Promise<void> {
  const running = await findProcesses(folder.path);
  for (const { pid } of running) process.kill(pid, 'SIGKILL');
}

/** The folder of a repository. */
async function packagedCharts(cluster: KubernetesCluster): Promise<string> {
  const folder = await temporaryFolder();
  const sources = await temporaryFolder();
  for (const chart of charts) {
    const source = await writeChart(sources, chart);
    await cluster.helm('package', source, '--destination', folder);
  }
  await cluster.helm('repo', 'index', folder);
  await breakChart(sources, folder);
  return folder;
}

/** The index still has it, the archive holds no YAML. */
async function breakChart(sources: string, folder: string): Promise<void> {
  await mkdir(join(sources, 'broken'));
  await writeFile(join(sources, 'broken/Chart.yaml'), '{ name: "broken', 'utf8');
  const archive = join(folder, 'broken-1.0.0.tgz');
  await runCommand('tar', ['-czf', archive, '-C', sources, 'broken']);
}
