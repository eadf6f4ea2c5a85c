import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readdir } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { basename, dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { waitFor } from '@glacis/runtime';
import { withConnection } from '@glacis/store';
import { jest } from '@jest/globals';
import {
  busyboxImage,
  startKafka,
  startKubernetes,
  startPostgres,
  type KubernetesCluster,
} from '../src/cluster/index.js';
import { findProcesses } from '../src/index.js';

// The first run on a machine builds Kubernetes.
jest.setTimeout(3_600_000);

let cluster: KubernetesCluster;

beforeAll(async () => {
  cluster = await startKubernetes({ nodes: 2 });
});

afterAll(() => cluster?.stop());

/** By the standard `restricted`, with a web page that tells the name of its pod. */
const web = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        // A first process has no signal that ends it by default.
        terminationGracePeriodSeconds: 1,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 1000,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        containers: [
          {
            name: 'web',
            image: busyboxImage,
            imagePullPolicy: 'Never',
            command: ['sh', '-c', 'hostname >/www/index.html; exec httpd -f -p 8080 -h /www'],
            securityContext: {
              readOnlyRootFilesystem: true,
              allowPrivilegeEscalation: false,
              capabilities: { drop: ['ALL'] },
            },
            resources: { limits: { cpu: '200m', memory: '64Mi' } },
            readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
            volumeMounts: [{ name: 'www', mountPath: '/www' }],
          },
        ],
        volumes: [{ name: 'www', emptyDir: {} }],
        topologySpreadConstraints: [
          {
            labelSelector: { matchLabels: { app: 'web' } },
            topologyKey: 'kubernetes.io/hostname',
            maxSkew: 1,
            whenUnsatisfiable: 'DoNotSchedule',
            // One that is drained takes none.
            nodeTaintsPolicy: 'Honor',
          },
        ],
      },
    },
  },
};

interface Pod {
  metadata: { name: string };
  spec: { nodeName: string };
  status: { podIP: string };
}

/** Those of `web`, by node. */
async function webPods(): Promise<Pod[]> {
  const told = await cluster.kubectl('get', 'pods', '-l', 'app=web', '-o', 'json');
  const { items } = JSON.parse(told) as { items: Pod[] };
  return items.toSorted((a, b) => a.spec.nodeName.localeCompare(b.spec.nodeName));
}

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
};

/** What a node has outside of its namespaces: the machine's end of its link, and control groups. */
async function tracesOf({ folder, link }: { folder: string; link: string }): Promise<string[]> {
  const [links, groups] = await Promise.all([
    readdir('/sys/class/net'),
    readdir('/sys/fs/cgroup', { recursive: true }),
  ]);
  const own = groups.filter((path) => path.includes(basename(folder)));
  return [...links.filter((name) => name === link), ...own];
}

function linkWith(address: string): string {
  const links = Object.entries(networkInterfaces());
  const [name] = links.find(([, ends]) => ends?.some((end) => end.address === address)) ?? [];
  return name ?? fail(`no link has ${address}`);
}

function fail(message: string): never {
  throw new Error(message);
}

describe('startKubernetes with a node', () => {
  it('runs pods, which are reached by the address and the name of their Service', async () => {
    await cluster.apply(web, service);
    await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=120s');
    const address = await cluster.kubectl('get', 'service/web', '-o', 'jsonpath={.spec.clusterIP}');
    // A connection that was begun before kube-proxy knew the Service never arrives.
    const ask = async (): Promise<string> =>
      (await fetch(`http://${address}/`, { signal: AbortSignal.timeout(1_000) })).text();
    const page = await waitFor(ask, { deadlineMs: 30_000, what: 'the Service' });
    const pod = await cluster.kubectl('get', 'pods', '-l', 'app=web', '-o', 'name');
    expect(pod).toContain(page.trim());
    const inPod = ['exec', 'deployment/web', '--', 'wget', '-qO-'];
    expect(pod).toContain((await cluster.kubectl(...inPod, 'http://web.default/')).trim());
    const noSuch = cluster.kubectl(...inPod, 'http://no-such.default/');
    await expect(noSuch).rejects.toThrow('bad address');
  });

  it('lets pods reach the API server by the name of its Service, and tells their logs', async () => {
    const command = ['sh', '-c', 'nc kubernetes.default 443 </dev/null && echo connected'];
    const image = [`--image=${busyboxImage}`, '--image-pull-policy=Never', '--restart=Never'];
    await cluster.kubectl('run', 'client', ...image, '--command', '--', ...command);
    const phase = '--for=jsonpath={.status.phase}=Succeeded';
    await cluster.kubectl('wait', phase, 'pod/client', '--timeout=60s');
    expect(await cluster.kubectl('logs', 'client')).toBe('connected\n');
  });

  it('lets pods reach a Postgres and a Kafka of this machine', async () => {
    const host = cluster.nodes!.machineAddress;
    const [postgres, kafka] = await Promise.all([startPostgres({ host }), startKafka({ host })]);
    const database = new URL(await postgres.createDatabase('reached'));
    const [row] = await withConnection(database.href, (connection) =>
      connection.query<{ address: string }>('SELECT host(inet_server_addr()) AS address'),
    );
    expect(row!.address).toBe(host);
    for (const address of [database.host, ...kafka.brokers]) {
      const [name, port] = address.split(':');
      expect(name).toBe(host);
      const ask = `nc ${name} ${port} </dev/null && echo connected`;
      const said = await cluster.kubectl('exec', 'deployment/web', '--', 'sh', '-c', ask);
      expect(said).toBe('connected\n');
    }
    await Promise.all([postgres.stop(), kafka.stop()]);
  });

  it('has pods of both nodes reach one another, and lets one of the nodes be drained', async () => {
    const pods = await webPods();
    expect(pods.map(({ spec }) => spec.nodeName)).toEqual(cluster.nodes!.names);
    const [one, other] = pods as [Pod, Pod];
    for (const [from, to] of [[one, other] as const, [other, one] as const]) {
      const ask = ['timeout', '10', 'wget', '-qO-', `http://${to.status.podIP}:8080/`];
      const page = await cluster.kubectl('exec', from.metadata.name, '--', ...ask);
      expect(page.trim()).toBe(to.metadata.name);
    }
    const [kept, drained] = cluster.nodes!.names as [string, string];
    await cluster.kubectl('drain', drained, '--delete-emptydir-data', '--force', '--timeout=60s');
    await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    expect((await webPods()).map(({ spec }) => spec.nodeName)).toEqual([kept, kept]);
    await cluster.kubectl('uncordon', drained);
  });

  it('has simulated nodes beside real ones, for pods that tolerate them', async () => {
    const [name] = await cluster.simulatedNodes(1);
    const pod = (kind: string, tolerations: object[]): object => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: kind, namespace: 'default' },
      spec: {
        nodeSelector: { 'kubernetes.io/hostname': name },
        tolerations,
        containers: [{ name: 'none', image: 'localhost/none:1' }],
      },
    });
    const tolerant = [{ key: 'glacis.dev/simulated', operator: 'Exists' }];
    await cluster.apply(pod('plain', []), pod('tolerant', tolerant));
    await cluster.kubectl('wait', '--for=condition=Ready', 'pod/tolerant', '--timeout=60s');
    await cluster.kubectl('wait', '--for=condition=PodScheduled=false', 'pod/plain');
    await cluster.kubectl('delete', 'pod/plain', 'pod/tolerant', `node/${name}`);
  });

  it('gives a claim a folder that an ordinary user writes to, and removes it with the claim', async () => {
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: 'default' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    };
    const [container] = web.spec.template.spec.containers;
    const writer = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'writer', namespace: 'default' },
      spec: {
        ...web.spec.template.spec,
        restartPolicy: 'Never',
        containers: [{ ...container, command: ['touch', '/www/kept'], readinessProbe: undefined }],
        volumes: [{ name: 'www', persistentVolumeClaim: { claimName: 'data' } }],
      },
    };
    await cluster.apply(claim, writer);
    const phase = '--for=jsonpath={.status.phase}=Succeeded';
    await cluster.kubectl('wait', phase, 'pod/writer', '--timeout=60s');
    const query = ['-o', 'jsonpath={.items[0].spec.hostPath.path}'];
    const folder = await cluster.kubectl('get', 'persistentvolumes', ...query);
    expect(await readdir(folder)).toEqual(['kept']);
    await cluster.kubectl('delete', 'pod/writer', 'persistentvolumeclaim/data');
    await waitFor(
      async () => (await cluster.kubectl('get', 'persistentvolumes', '-o', 'name')) === '',
      { deadlineMs: 30_000, everyMs: 250, what: 'the volume to be gone' },
    );
    await expect(access(folder)).rejects.toThrow('ENOENT');
  });

  it('leaves no process, link or control group, also when its owner is killed', async () => {
    const testbed = new URL('../dist/cluster/index.js', import.meta.url).href;
    const script = `const { startKubernetes } = await import('${testbed}');
      const { admin, nodes } = await startKubernetes({ node: true });
      console.log(JSON.stringify({ file: admin.file, address: nodes.machineAddress }));
      setInterval(() => {}, 1_000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(owner.stdout), 'line')) as [string];
    const other = JSON.parse(line) as { file: string; address: string };
    const nodes = [
      { folder: dirname(other.file), link: linkWith(other.address) },
      { folder: dirname(cluster.admin.file), link: linkWith(cluster.nodes!.machineAddress) },
    ];
    for (const node of nodes) expect((await tracesOf(node)).length).toBeGreaterThan(1);
    owner.kill('SIGKILL');
    await cluster.stop();
    for (const node of nodes) {
      await waitFor(
        async () =>
          (await findProcesses(node.folder)).length === 0 && (await tracesOf(node)).length === 0,
        { deadlineMs: 30_000, what: 'everything to be gone' },
      );
    }
    await expect(access(nodes[1]!.folder)).rejects.toThrow('ENOENT');
    await expect(access('/var/lib/kubelet')).rejects.toThrow('ENOENT');
  });
});
