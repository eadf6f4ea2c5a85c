import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@glacis/testbed';
import { stringify } from 'yaml';

/** A component of a chart of its name. */
export const component = (name: string) => ({
  chart: { repo: 'https://charts.example.org', name, version: '1.0.0' },
  config: { replicas: 1 },
  inputs: {},
  outputs: {},
});

/** A graph of one component, or of the members given. */
export function graph(name: string, members: object = {}, namespace?: string): object {
  return {
    apiVersion: 'rampart.petuum.com/v1beta2',
    kind: 'RampartGraph',
    metadata: { name, ...(namespace && { namespace }), labels: { team: 'data' } },
    spec: { graph: { components: { one: component('one') }, flows: {}, ...members } },
  };
}

/** Path of a file that holds it. */
export async function file(object: unknown): Promise<string> {
  const path = join(await temporaryFolder(), 'graph.yaml');
  await writeFile(path, stringify(object));
  return path;
}

/** What is read of a graph. */
export interface Stored {
  metadata: {
    uid: string;
    namespace: string;
    annotations: Record<string, string>;
    deletionTimestamp?: string;
  };
  spec: {
    deploy?: boolean;
    graph: { components: Record<string, { config: Record<string, unknown> }> };
  };
}
