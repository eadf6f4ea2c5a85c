import { parse } from 'yaml';
import { ANNOTATIONS } from '@glacis/graphs';
import { UsageError } from '../client.js';
import type { Context } from '../context.js';
import { plain } from '../output.js';
import { fetchText, isMap } from './sources.js';
import { stringify } from 'yaml';

/** Where charts declare themselves; charts of long ago have it under the second key. */
const keys = [ANNOTATIONS.chart, 'petuum/rampartComponent'];
/** Where the second column begins. */
const width = 63;

interface ListedChart {
  name: string;
  version: string;
  /** What it declares of itself; absent: it is no component. */
  declaration?: unknown;
}

/** `glacis list-components URL`: charts of a repository in their newest version, read from its index alone. */
export async function listComponents(
  { show }: Context,
  url: string,
  { declarations = false }: { declarations?: boolean },
): Promise<void> {
  if (/^oci:/i.test(url)) throw new UsageError('an OCI registry has no list of its charts');
  const address = `${url.replace(/\/+$/, '')}/index.yaml`;
  const index: unknown = parse(await fetchText(address));
  if (!isMap(index) || !isMap(index['entries'])) {
    throw new UsageError(`${address}: not the index of a chart repository`);
  }
  const charts = Object.entries(index['entries'])
    .flatMap(([name, versions]) => newest(name, versions) ?? [])
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  show({ value: charts, text: declarations ? declared(charts) : columns(charts) });
}

/** `helm repo index` puts the newest version first. */
function newest(name: string, versions: unknown): ListedChart | undefined {
  const [first] = Array.isArray(versions) ? (versions as unknown[]) : [];
  if (!isMap(first)) return undefined;
  const annotations = isMap(first['annotations']) ? first['annotations'] : {};
  const text = keys.map((key) => annotations[key]).find((each) => typeof each === 'string');
  const chart = { name, version: String(first['version']) };
  return typeof text === 'string' ? { ...chart, declaration: declarationIn(text) } : chart;
}

/** As it is written where it is no YAML. */
function declarationIn(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return text;
  }
}

function columns(charts: ListedChart[]): string {
  const lines = charts.map(({ name, version }) => [plain(name), plain(version)]);
  return [['CHART NAME', 'VERSION'], ...lines]
    .map(([name = '', version = '']) => `${name.padEnd(width)}${version}\n`)
    .join('');
}

function declared(charts: ListedChart[]): string {
  const components = charts.filter(({ declaration }) => declaration !== undefined);
  if (components.length === 0) return '';
  return stringify(
    Object.fromEntries(components.map(({ name, declaration }) => [name, declaration])),
  );
}
