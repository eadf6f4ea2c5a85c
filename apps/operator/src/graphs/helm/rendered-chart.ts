import type { Manifest } from '@glacis/graphs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { WorkFolder } from './work-folder.js';

/** A chart in the work folder. */
export interface RenderedChart {
  /** Of its folder. */
  path: string;
}

/**
 * Writes a chart that installs these objects as they are: helm reads them as a file, so that text in them which looks
 * like a template is none. Its `appVersion` tells from the release whether it is of the same objects.
 * @param name such as `<graph>_edges_helm`
 */
export function renderedChart(
  folder: WorkFolder,
  name: string,
  namespace: string,
  objects: readonly Manifest[],
): RenderedChart {
  const path = join(folder.path, 'charts', namespace, name);
  const metadata = { apiVersion: 'v2', name, version: '0.0.0', appVersion: digestOf(objects) };
  // JSON is YAML as well.
  const text = objects.map((object) => JSON.stringify(object)).join('\n---\n');
  folder.write(join(path, 'templates/objects.yaml'), '{{ .Files.Get "objects.yaml" }}');
  folder.write(join(path, 'objects.yaml'), text);
  folder.write(join(path, 'Chart.yaml'), JSON.stringify(metadata));
  return { path };
}

/** The same for the same objects. */
export function digestOf(objects: readonly Manifest[]): string {
  return createHash('sha256').update(JSON.stringify(objects)).digest('hex');
}
