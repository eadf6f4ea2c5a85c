/** What the charts of a graph declare, read through the repositories and Secrets that the graph names (O rules). */
import { ChartError, type ChartSource } from '../chart/chart-source.js';
import { readDeclaration, type ChartFault, type Declaration } from '../chart/declaration.js';
import { hasHost, type Repository, type UrlRepository } from '../chart/repository.js';
import type { Chart } from '../graph.js';
import { pointer } from '../json.js';
import type { Finding } from '../verdict.js';
import { COMPONENTS, type ChartFacts, type Facts } from './facts.js';

/** Charts that are read at once for one graph. */
const AT_ONCE = 4;

interface Reading {
  declaration: Declaration;
  faults: ChartFault[];
}

interface Use {
  component: string;
  chart: Chart;
  /** Pointer to what asks for the chart. */
  path: string;
}

/** Equal charts are read once. */
export async function readCharts(facts: Facts, source: ChartSource): Promise<ChartFacts> {
  const uses = usesOf(facts, source);
  const charts = new Map(uses.map(({ chart }) => [keyOf(chart), chart]));
  const readings = new Map<string, Reading>();
  const queue = charts.entries();
  const work = async (): Promise<void> => {
    for (const [key, chart] of queue) {
      readings.set(key, await readChart(chart, facts.name.namespace, source));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return byComponent(uses, readings);
}

function usesOf({ graph }: Facts, { auxChart }: ChartSource): Use[] {
  return Object.entries(graph.components).flatMap(([component, { chart, ingressNeeded }]) => {
    const path = pointer(COMPONENTS, component);
    const own = { component, chart, path: pointer(path, 'chart') };
    const aux = { component, chart: auxChart, path: pointer(path, 'ingressNeeded') };
    return ingressNeeded ? [own, aux] : [own];
  });
}

function keyOf({ repo, name, version, secret }: Chart): string {
  return JSON.stringify([repo, name, version, secret]);
}

function byComponent(uses: readonly Use[], readings: ReadonlyMap<string, Reading>): ChartFacts {
  const declarations = new Map<string, Declaration[]>();
  const faults = new Map<string, Finding[]>();
  for (const { component, chart, path } of uses) {
    const reading = readings.get(keyOf(chart));
    if (!reading) continue;
    declarations.set(component, [...(declarations.get(component) ?? []), reading.declaration]);
    const found = reading.faults.map((fault) => ({ ...fault, path }));
    faults.set(component, [...(faults.get(component) ?? []), ...found]);
  }
  return { declarations, faults };
}

async function readChart(chart: Chart, namespace: string, source: ChartSource): Promise<Reading> {
  try {
    const repository = await repositoryOf(chart, namespace, source);
    const { name, version } = chart;
    return readDeclaration(await source.annotation({ repository, name, version }));
  } catch (error) {
    const fault = faultOf(error);
    return { ...readDeclaration(), faults: [fault] };
  }
}

function faultOf(error: unknown): ChartFault {
  if (error instanceof ChartError || error instanceof SecretError) {
    return { code: error.code, message: error.message };
  }
  throw error;
}

/** A Secret that a chart names is not what it should be. */
class SecretError extends Error {
  constructor(
    readonly code: 'SECRET_MISSING' | 'SECRET_NO_URL' | 'SECRET_KEYS',
    message: string,
  ) {
    super(message);
  }
}

async function repositoryOf(
  { repo, secret }: Chart,
  namespace: string,
  source: ChartSource,
): Promise<Repository> {
  if (hasHost(repo)) {
    const credentials = await credentialsOf(secretName(secret), namespace, source);
    return { kind: 'url', url: repo, credentials };
  }
  const options =
    (await secretData(repo, namespace, source)) ??
    (await secretData(repo, source.operatorNamespace, source));
  if (!options) {
    const message = 'repo is neither a URL with a host nor the name of a Secret that is there';
    throw new SecretError('SECRET_MISSING', message);
  }
  const { url } = options;
  if (!url) throw new SecretError('SECRET_NO_URL', `repository Secret ${repo} has no key url`);
  return { kind: 'secret', url, secret: repo, options };
}

/** `None` and `null` mean none. */
function secretName(secret: Chart['secret']): string | undefined {
  if (typeof secret === 'object') return secret.name;
  return secret === 'None' || secret === 'null' ? undefined : secret;
}

async function credentialsOf(
  secret: string | undefined,
  namespace: string,
  source: ChartSource,
): Promise<UrlRepository['credentials']> {
  if (secret === undefined) return undefined;
  const data = await secretData(secret, namespace, source);
  if (!data) {
    throw new SecretError('SECRET_MISSING', `no Secret ${secret} is in Namespace ${namespace}`);
  }
  const { username, password } = data;
  if (username === undefined || password === undefined) {
    throw new SecretError(
      'SECRET_KEYS',
      `Secret ${secret} must have the keys username and password`,
    );
  }
  return { secret, username, password };
}

/** Of a Secret in Kubernetes; other text is not asked for. */
const SECRET_NAME = /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;

async function secretData(
  name: string,
  namespace: string,
  source: ChartSource,
): Promise<Record<string, string> | undefined> {
  return SECRET_NAME.test(name) ? source.secret(namespace, name) : undefined;
}
