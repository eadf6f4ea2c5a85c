import { repositoryIdentity, type Repository, type ResolvedChart } from '@glacis/graphs';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HelmError } from './helm-error.js';
import type { RunHelm } from './run-helm.js';
import type { WorkFolder } from './work-folder.js';

/** An archive of a chart in the work folder; whoever fetched it removes it. */
export interface FetchedChart {
  /** Of the archive. */
  path: string;
  remove(): Promise<void>;
}

/** What one fetch runs with. */
interface Fetch {
  run: RunHelm;
  /** For its files, in the work folder. */
  folder: string;
  chart: ResolvedChart;
  secrets: string[];
}

/**
 * Fetches a chart into a folder of its own, where no other fetch overwrites the index that this one reads. Credentials
 * and keys lie in files of mode 0600 there and are gone when it ends.
 * @throws {HelmError} `repository` where that cannot be read, else for the chart
 */
export async function fetchChart(
  work: WorkFolder,
  run: RunHelm,
  chart: ResolvedChart,
): Promise<FetchedChart> {
  const folder = join(work.path, 'fetched', randomUUID());
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const fetch = { run, folder, chart, secrets: secretsOf(chart.repository) };
  try {
    await mkdir(join(folder, 'chart'), { recursive: true, mode: 0o700 });
    const files = tlsFiles(work, folder, chart.repository);
    const from = isOci(chart.repository)
      ? ociSource(work, fetch, files)
      : await indexSource(work, fetch, files);
    await pull(fetch, from);
    return { path: await archiveIn(join(folder, 'chart')), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Neither absent nor `latest`: what it names stays the same. */
export const isFixed = (chart: ResolvedChart): chart is ResolvedChart & { version: string } =>
  chart.version !== undefined && chart.version !== 'latest';

const isOci = ({ url }: Repository): boolean => /^oci:\/\//i.test(url);

async function pull({ run, folder, chart, secrets }: Fetch, from: string[]): Promise<void> {
  // The newest, and pre-releases are versions like any other.
  const version = isFixed(chart) ? chart.version : '>0.0.0-0';
  const args = ['pull', ...from, '--version', version, '--destination', join(folder, 'chart')];
  await run({ args, secrets });
}

async function archiveIn(folder: string): Promise<string> {
  const [name] = await readdir(folder);
  if (name === undefined) throw new HelmError('failed', 'the repository gave no chart');
  return join(folder, name);
}

type Option = 'username' | 'password' | 'passCredentials' | 'insecureSkipTlsVerify';
type PemOption = 'caFile' | 'certFile' | 'keyFile';

/** An option of a repository Secret, in camelCase or kebab-case. */
function optionOf(repository: Repository, name: Option | PemOption): string | undefined {
  if (repository.kind === 'url') {
    const { username, password } = repository.credentials ?? {};
    return { username, password }[name as string];
  }
  const { options } = repository;
  return options[name] ?? options[name.replaceAll(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)];
}

const isOn = (repository: Repository, name: Option): boolean =>
  optionOf(repository, name) === 'true';

const trustFlags = (repository: Repository): string[] =>
  isOn(repository, 'insecureSkipTlsVerify') ? ['--insecure-skip-tls-verify'] : [];

/** What helm might repeat, and must not. */
function secretsOf(repository: Repository): string[] {
  return [optionOf(repository, 'password') ?? '', optionOf(repository, 'keyFile') ?? ''];
}

type TlsFiles = Partial<Record<PemOption, string>>;

/** Paths of PEM texts. */
function tlsFiles(work: WorkFolder, folder: string, repository: Repository): TlsFiles {
  const files: TlsFiles = {};
  for (const name of ['caFile', 'certFile', 'keyFile'] as const) {
    const pem = optionOf(repository, name);
    if (pem) files[name] = work.write(join(folder, `${name}.pem`), pem);
  }
  return files;
}

/** A repository with an index, which is fetched first. */
async function indexSource(work: WorkFolder, fetch: Fetch, files: TlsFiles): Promise<string[]> {
  const { run, folder, chart, secrets } = fetch;
  const { repository } = chart;
  const name = repositoryIdentity(repository);
  const entry = {
    name,
    url: repository.url,
    ...files,
    username: optionOf(repository, 'username'),
    password: optionOf(repository, 'password'),
    insecure_skip_tls_verify: isOn(repository, 'insecureSkipTlsVerify'),
    pass_credentials_all: isOn(repository, 'passCredentials'),
  };
  // JSON is YAML as well.
  const text = JSON.stringify({ apiVersion: 'v1', repositories: [entry] });
  const config = work.write(join(folder, 'repositories.yaml'), text);
  const flags = ['--repository-config', config, '--repository-cache', join(folder, 'index')];
  const args = ['repo', 'update', name, '--fail-on-repo-update-fail', ...flags];
  await run({ args, secrets }).catch((error: unknown) => {
    if (!(error instanceof HelmError) || error.code === 'stopped') throw error;
    throw new HelmError('repository', error.message);
  });
  // Of all that the entry says, helm does not heed this one for charts.
  return [`${name}/${chart.name}`, ...flags, ...trustFlags(repository)];
}

/** A registry: no index, and credentials as container tools keep them. */
function ociSource(work: WorkFolder, fetch: Fetch, files: TlsFiles): string[] {
  const { folder, chart } = fetch;
  const { repository } = chart;
  const url = repository.url.replace(/\/+$/, '');
  const user = optionOf(repository, 'username');
  const pair = `${user}:${optionOf(repository, 'password') ?? ''}`;
  const auth = Buffer.from(pair).toString('base64');
  const auths = user === undefined ? {} : { [new URL(url).host]: { auth } };
  const config = work.write(join(folder, 'registry.json'), JSON.stringify({ auths }));
  return [
    `${url}/${chart.name}`,
    '--registry-config',
    config,
    ...(files.caFile ? ['--ca-file', files.caFile] : []),
    ...(files.certFile ? ['--cert-file', files.certFile] : []),
    ...(files.keyFile ? ['--key-file', files.keyFile] : []),
    ...trustFlags(repository),
  ];
}
