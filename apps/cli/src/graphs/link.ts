import { spawn } from 'node:child_process';
import { RefusedError, UsageError } from '../client.js';
import type { Context } from '../context.js';
import { inCluster, type ClusterOptions } from './cluster.js';
import { isMap } from './sources.js';

export interface LinkFlags extends ClusterOptions {
  namespace?: string;
  base?: string;
  open?: boolean;
}

/** `glacis link GRAPH [COMPONENT]`: where the components of a graph are to be seen. */
export async function links(
  { show }: Context,
  [name, component]: [string, string | undefined],
  flags: LinkFlags,
): Promise<void> {
  const ref = { name, namespace: flags.namespace ?? 'default' };
  const found = await inCluster(flags, async ({ graphs, url }) => {
    const { status } = await graphs.get(ref);
    const base = flags.base ?? `http://${url.hostname}:30800`;
    if (!URL.canParse(base)) throw new UsageError(`--base: '${base}' is no URL`);
    return linksIn(status?.endpointPaths ?? '{}', base).filter(
      (link) => component === undefined || link.component === component,
    );
  });
  if (found.length === 0) {
    throw new RefusedError(404, { detail: `${component ?? name} has no endpoint` });
  }
  show({ list: found, columns: ['component', 'url'] });
  if (flags.open) for (const { url } of found) openInBrowser(url);
}

/** @param paths JSON: component to its paths */
function linksIn(paths: string, base: string): { component: string; url: string }[] {
  const byComponent: unknown = JSON.parse(paths);
  if (!isMap(byComponent)) return [];
  return Object.entries(byComponent).flatMap(([component, list]) =>
    (Array.isArray(list) ? list : []).map((path) => {
      return { component, url: new URL(String(path), base).href };
    }),
  );
}

function openInBrowser(url: string): void {
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(program, [url], { stdio: 'ignore', detached: true });
  child.once('error', () => undefined);
  child.unref();
}
