import { ChartError, hasHost, type Chart, type ResolvedChart } from '@glacis/graphs';
import type { Work } from './work.js';

/**
 * Where a chart lies and how to get in, from the Secrets as they are now.
 * @throws {ChartError} when one has gone since the rules were asked
 */
export async function chartOf(
  { charts, id }: Pick<Work, 'charts' | 'id'>,
  { repo, name, version = 'latest', secret }: Chart,
): Promise<ResolvedChart> {
  if (!hasHost(repo)) {
    const options =
      (await charts.secret(id.namespace, repo)) ??
      (await charts.secret(charts.operatorNamespace, repo));
    const url = options?.['url'];
    if (!options || url === undefined) {
      throw new ChartError('REPO_FAILED', `the Secret ${repo} of the repository has no url`);
    }
    return { repository: { kind: 'secret', url, secret: repo, options }, name, version };
  }
  const credentials = await credentialsOf({ charts, id }, secret);
  return { repository: { kind: 'url', url: repo, ...credentials }, name, version };
}

async function credentialsOf(
  { charts, id }: Pick<Work, 'charts' | 'id'>,
  secret: Chart['secret'],
): Promise<{ credentials?: { secret: string; username: string; password: string } }> {
  const name = typeof secret === 'object' ? secret.name : secret;
  if (name === undefined || name === 'None' || name === 'null') return {};
  const { username, password } = (await charts.secret(id.namespace, name)) ?? {};
  if (username === undefined || password === undefined) {
    throw new ChartError('REPO_FAILED', `the Secret ${name} lacks username or password`);
  }
  return { credentials: { secret: name, username, password } };
}
