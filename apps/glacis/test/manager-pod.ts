import { waitFor } from '@glacis/runtime';
import type { KubernetesClients } from '@glacis/testbed/cluster';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningManager, Stage } from '../src/demo/story.js';

export interface ManagerPods {
  cluster: KubernetesClients;
  namespace: string;
  image: string;
  /** `host:port` of the manager stream. */
  managers: string;
  /** Name of the node that they are to run on. Default: any. */
  node?: string;
}

/** Managers in pods of their own, with their certificates from a Secret. */
export function managerPods(place: ManagerPods): Stage['startManager'] {
  return async (tls, env) => {
    const name = `manager-${randomBytes(3).toString('hex')}`;
    await place.cluster.apply(await secretOf(place, name, tls), podOf(place, name, env));
    return new ManagerPod(place, name);
  };
}

class ManagerPod implements RunningManager {
  printed: readonly string[] = [];
  private ended?: Promise<void>;

  constructor(
    private readonly place: ManagerPods,
    private readonly name: string,
  ) {}

  /** Looked for once somebody asks: each look is a process. */
  get exited(): Promise<void> {
    return (this.ended ??= this.end());
  }

  line(pattern: RegExp): Promise<RegExpExecArray> {
    const find = async (): Promise<RegExpExecArray | undefined> => {
      await this.read();
      return (
        this.printed.map((line) => pattern.exec(line)).find((found) => found !== null) ?? undefined
      );
    };
    return waitFor(find, { deadlineMs: 60_000, everyMs: 500, what: `${this.name}: ${pattern}` });
  }

  private async end(): Promise<void> {
    const phase = ['-o', 'jsonpath={.status.phase}'];
    const ended = async (): Promise<boolean> =>
      /Succeeded|Failed/.test(await this.kubectl('get', 'pod', this.name, ...phase));
    await waitFor(ended, { deadlineMs: 120_000, everyMs: 500, what: `the end of ${this.name}` });
    await this.read();
  }

  private async read(): Promise<void> {
    this.printed = (await this.kubectl('logs', this.name)).split('\n');
  }

  private kubectl(...args: string[]): Promise<string> {
    return this.place.cluster.kubectl('--namespace', this.place.namespace, ...args);
  }
}

async function secretOf({ namespace }: ManagerPods, name: string, tls: string): Promise<object> {
  const files = ['ca.pem', 'cert.pem', 'key.pem'];
  const contents = await Promise.all(files.map((file) => readFile(join(tls, file), 'base64')));
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels: { test: 'manager' } },
    data: Object.fromEntries(files.map((file, index) => [file, contents[index]])),
  };
}

function podOf(
  { namespace, image, managers, node }: ManagerPods,
  name: string,
  env: Record<string, string>,
): object {
  const settings = {
    MANAGER_GRPC_URL: managers,
    MANAGER_GRPC_SERVER_CA_CERTS: '/tls/ca.pem',
    MANAGER_GRPC_CLIENT_CERT: '/tls/cert.pem',
    MANAGER_GRPC_CLIENT_KEY: '/tls/key.pem',
    GLACIS_MANAGER_STATE_DIR: '/state',
    ...env,
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { test: 'manager' } },
    spec: {
      ...(node && { nodeName: node }),
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        fsGroup: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'manager',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', 'apps/manager/dist/main.js'],
          env: Object.entries(settings).map(([key, value]) => ({ name: key, value })),
          securityContext: {
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: [
            { name: 'tls', mountPath: '/tls', readOnly: true },
            { name: 'state', mountPath: '/state' },
          ],
        },
      ],
      volumes: [
        { name: 'tls', secret: { secretName: name, defaultMode: 0o440 } },
        { name: 'state', emptyDir: {} },
      ],
    },
  };
}
