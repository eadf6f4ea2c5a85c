import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GraphSpec, RampartGraph } from '@glacis/graphs';
import { isKubeError } from '@glacis/kube';
import { isDeepStrictEqual } from 'node:util';
import { parse, stringify } from 'yaml';
import { RefusedError, UsageError } from '../client.js';
import type { Context } from '../context.js';
import { inCluster, toldOf, type Cluster, type ClusterOptions } from './cluster.js';

/**
 * `glacis graph edit name`: `spec.graph` in an editor, again with the messages as long as it is refused. One that is saved
 * as it was ends it.
 */
export async function editGraph(
  { say }: Context,
  name: string,
  flags: ClusterOptions & { namespace?: string },
): Promise<void> {
  const ref = { name, namespace: flags.namespace ?? 'default' };
  await inCluster(flags, async (cluster) => {
    const graph = await cluster.graphs.get(ref);
    const folder = await mkdtemp(join(tmpdir(), 'glacis-edit-'));
    const file = join(folder, `${name}.yaml`);
    const stored = await edited(cluster, graph, file);
    say(stored ? `${ref.namespace}:${name} changed` : 'unchanged');
    // What was refused stays for whoever wrote it.
    await rm(folder, { recursive: true });
  });
}

/** Whether something was stored. @throws what the last edit was refused with, with the place of the file */
async function edited(cluster: Cluster, graph: RampartGraph, file: string): Promise<boolean> {
  let refusal: Error | undefined;
  for (let text = stringify(graph.spec.graph); ;) {
    await writeFile(file, `${commentOf(refusal)}${text}`, { mode: 0o600 });
    await openEditor(file);
    const after = withoutComment(await readFile(file, 'utf8'));
    if (after === text && refusal) throw kept(refusal, file);
    if (after === text) return false;
    text = after;
    refusal = await refusalOf(cluster, graph, text);
    if (!refusal) return true;
  }
}

async function refusalOf(
  { graphs }: Cluster,
  graph: RampartGraph,
  text: string,
): Promise<Error | undefined> {
  let edited: GraphSpec['graph'];
  try {
    edited = parse(text) as GraphSpec['graph'];
  } catch (error) {
    return error as Error;
  }
  try {
    await store(graphs, graph, edited);
    return undefined;
  } catch (error) {
    if (isKubeError(error, 'invalid', 'forbidden', 'conflict')) return toldOf(error);
    throw error;
  }
}

/** A status written meanwhile does not matter; another spec does. */
async function store(
  graphs: Cluster['graphs'],
  graph: RampartGraph,
  edited: GraphSpec['graph'],
): Promise<void> {
  const current = await graphs.get(graph.metadata);
  const base = isDeepStrictEqual(current.spec, graph.spec) ? current : graph;
  await graphs.replace({ ...base, spec: { ...base.spec, graph: edited } });
}

const mark = '#! ';

function commentOf(refusal: Error | undefined): string {
  if (!refusal) return '';
  const lines = linesOf(refusal).flatMap((line) => line.split('\n'));
  return ['refused:', ...lines].map((line) => `${mark}${line}\n`).join('');
}

const withoutComment = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.startsWith(mark.trimEnd()))
    .join('\n');

function linesOf(refusal: Error): string[] {
  const lines = refusal instanceof RefusedError ? refusal.lines : [];
  return lines.length > 0 ? lines : [refusal.message];
}

function kept(refusal: Error, file: string): RefusedError {
  const detail = `${linesOf(refusal).join('\n')}\nwhat you wrote is in ${file}`;
  return new RefusedError(422, { detail });
}

function openEditor(file: string): Promise<void> {
  const { EDITOR: editor = 'vi' } = process.env;
  const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new UsageError(`the editor '${editor}' has ended with ${code}`));
    });
  });
}
