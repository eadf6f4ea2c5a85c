import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtIns, ResourceClient, type ApiServer } from '@glacis/kube';
import { temporaryFolder } from '@glacis/testbed';
import { Daemon, type KubernetesCluster } from '@glacis/testbed/cluster';
import { parseAllDocuments } from 'yaml';

const script = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const rbac = ['operator', 'operator-graphs'].map(
  (name) => new URL(`../../../k8s/rbac/${name}.yaml`, import.meta.url),
);
const user = 'glacis-operator';

interface Role {
  kind: string;
  metadata: { name: string };
}

/** A user of the cluster who may do what the committed rules say, and nothing else. @returns its kubeconfig file */
export async function operatorUser(cluster: KubernetesCluster): Promise<string> {
  const texts = await Promise.all(rbac.map((file) => readFile(file, 'utf8')));
  const documents = texts.flatMap((text) => parseAllDocuments(text));
  const roles = documents.map((document) => document.toJS() as Role);
  const subjects = [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }];
  const bindings = roles.map(({ kind, metadata: { name } }) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: `${kind}Binding`,
    metadata: { name, ...(kind === 'Role' && { namespace: 'default' }) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
    subjects,
  }));
  const placed = roles.map((role) =>
    role.kind === 'Role' ? { ...role, metadata: { ...role.metadata, namespace: 'default' } } : role,
  );
  await cluster.apply(...placed, ...bindings);
  return (await cluster.user(user)).file;
}

export interface OperatorOptions {
  /** As the administrator reaches it. */
  server: ApiServer;
  kubeconfig: string;
  env: Record<string, string>;
  /** Loaded into the process before it starts. */
  preload?: string;
}

/** The operator in a process of its own. It leads at once, also after it was killed. */
export class OperatorProcess {
  private constructor(
    readonly daemon: Daemon,
    private readonly server: ApiServer,
  ) {}

  static async prepare(options: OperatorOptions): Promise<OperatorProcess> {
    const folder = await temporaryFolder();
    const { server, kubeconfig, env, preload } = options;
    const daemon = new Daemon({
      name: 'the operator',
      file: process.execPath,
      args: [...(preload === undefined ? [] : ['--import', preload]), script],
      env: {
        ...process.env,
        KUBECONFIG: kubeconfig,
        GLACIS_OPERATOR_HTTP_PORT: '0',
        GLACIS_NAMESPACE: 'default',
        GLACIS_OPERATOR_RESOURCES: 'teemanagers',
        GLACIS_OPERATOR_MANAGER_IMAGE: 'localhost/glacis:test',
        GLACIS_LOG_LEVEL: 'info',
        ...env,
      },
      logFile: join(folder, 'operator.log'),
      ready: (log) => log.includes('operator has started'),
    });
    return new OperatorProcess(daemon, server);
  }

  async start(): Promise<void> {
    await this.freeLease();
    await this.daemon.start();
  }

  log(): Promise<string> {
    return readFile(this.daemon.logFile, 'utf8').catch(() => '');
  }

  /** Nobody waits for the lease of the dead here; that it is waited for is proved with the election. */
  private async freeLease(): Promise<void> {
    const lease = {
      metadata: { name: 'glacis-operator', namespace: 'default' },
      spec: { holderIdentity: '', leaseDurationSeconds: 15 },
    };
    await new ResourceClient(this.server, builtIns.leases).apply(lease, { fieldManager: 'test' });
  }
}
