import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { temporaryFolder } from '@glacis/testbed';
import type { KubernetesClients } from '@glacis/testbed/cluster';

/** A Deployment, whose pod is ready on a simulated node, and a ConfigMap with its values. */
const worker = `apiVersion: v1
kind: ConfigMap
metadata:
  name: values
data:
  values: {{ .Values | toJson | quote }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: worker
  labels: { tier: {{ .Values.tier | default "plain" | quote }} }
spec:
  replicas: {{ .Values.replicas | default 1 }}
  selector: { matchLabels: { app: worker } }
  template:
    metadata: { labels: { app: worker } }
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{ name: worker, image: {{ .Values.image | default "worker" | quote }} }]
{{- with .Values.unready }}
      nodeSelector: { no-such: node }
{{- end }}
`;

/** What `ingressNeeded` adds: nothing but its values. */
const aux = `apiVersion: v1
kind: ConfigMap
metadata: { name: aux }
data: { values: {{ .Values | toJson | quote }} }
`;

const provider = 'inputs: []\noutputs: []\nprovides: [thing]\n';
const requirer = 'inputs: []\noutputs: []\nrequires: [thing]\n';
const declared = `inputs: [{ name: in-1, type: volume, mountPath: /data/in }]\noutputs: []\n`;

const charts = [
  { name: 'worker', version: '1.0.0', annotations: {} },
  { name: 'worker', version: '1.1.0', annotations: {} },
  { name: 'provider', version: '1.0.0', annotations: { 'petuum.com/rampartComponent': provider } },
  { name: 'requirer', version: '1.0.0', annotations: { 'petuum.com/rampartComponent': requirer } },
  { name: 'declared', version: '1.0.0', annotations: { 'petuum.com/rampartComponent': declared } },
  { name: 'aux', version: '1.0.0', annotations: {}, template: aux },
];

export interface ChartServer {
  url: string;
  /** Answers of it from now on fail, or no longer. */
  break(broken: boolean): void;
  stop(): Promise<void>;
}

/** A repository of charts, as any web server has it. */
export async function serveCharts(clients: Pick<KubernetesClients, 'helm'>): Promise<ChartServer> {
  const [sources, folder] = [await temporaryFolder(), await temporaryFolder()];
  for (const { name, version, annotations, template = worker } of charts) {
    const source = join(sources, `${name}-${version}`);
    await mkdir(join(source, 'templates'), { recursive: true });
    const metadata = { apiVersion: 'v2', name, version, annotations };
    await writeFile(join(source, 'Chart.yaml'), JSON.stringify(metadata));
    await writeFile(join(source, 'templates/objects.yaml'), template);
    await clients.helm('package', source, '--destination', folder);
  }
  await clients.helm('repo', 'index', folder);
  let broken = false;
  const server = createServer(({ url = '/' }, response) => {
    const file = join(folder, new URL(url, 'http://charts').pathname);
    const answer = broken ? Promise.reject(new Error('broken')) : readFile(file);
    answer.then(
      (content) => response.end(content),
      () => response.writeHead(broken ? 500 : 404).end(),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    break: (now) => (broken = now),
    stop: async () => {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}
