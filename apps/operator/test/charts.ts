import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface TestChart {
  name: string;
  version: string;
  annotation?: string;
  /** By name; helm fills them in. */
  templates?: Record<string, string>;
}

/** A ConfigMap that shows the values; its name is that of the release. */
export const valuesTemplate = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-values
data:
  values: {{ .Values | toJson | quote }}
`;

/** A Deployment, which is never ready where there is no node. */
export const workloadTemplate = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-workload
spec:
  selector: { matchLabels: { app: x } }
  template:
    metadata: { labels: { app: x } }
    spec:
      containers: [{ name: x, image: x }]
`;

/** Writes the source of a chart. @returns its folder */
export async function writeChart(parent: string, chart: TestChart): Promise<string> {
  const { name, version, annotation, templates = { values: valuesTemplate } } = chart;
  const folder = join(parent, `${name}-${version}`);
  await mkdir(join(folder, 'templates'), { recursive: true });
  const annotations = annotation === undefined ? {} : { 'petuum.com/rampartComponent': annotation };
  const metadata = { apiVersion: 'v2', name, version, annotations };
  await writeFile(join(folder, 'Chart.yaml'), JSON.stringify(metadata));
  for (const [file, text] of Object.entries(templates)) {
    await writeFile(join(folder, 'templates', `${file}.yaml`), text);
  }
  return folder;
}
