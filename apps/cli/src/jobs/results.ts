import {
  openResult,
  OpenError,
  unseal,
  type JobsApi,
  type OpenedResult,
  type Receipt,
  type ResultColumn,
} from '@glacis/shares';
import { UsageError } from '../client.js';
import type { Context } from '../context.js';
import { ExitError } from '../exit.js';
import { plain } from '../output.js';
import { jobPath } from './calls.js';
import type { Warning } from './create.js';
import { keptJob } from './keep.js';
import type { KeepFlags } from './options.js';
import { contentOf } from './request.js';

/** Answer of `GET /jobs/{id}/results`. */
export interface Results {
  query_hash: string;
  parties: { party: number; url: string; bytes: number; sha256: string; sealed: boolean }[];
  columns: ResultColumn[];
  warnings?: Warning[];
  receipts: Receipt[];
}

export interface OpenFlags extends KeepFlags {
  ca?: string;
  ack?: boolean;
}

/** Fetches the result files, opens them and prints the rows, after receipts and copies were checked. */
export async function openJob(
  context: Context,
  api: JobsApi,
  jobId: string,
  flags: OpenFlags,
): Promise<void> {
  const results = await api.get<Results>(jobPath(jobId, 'results'));
  const opened = await open(context, jobId, results, flags);
  print(context, opened, results.warnings);
  if (flags.ack) await api.post(jobPath(jobId, 'results', 'ack'), {});
}

async function open(
  { server }: Context,
  jobId: string,
  { parties, columns, receipts, query_hash: queryHash }: Results,
  flags: OpenFlags,
): Promise<OpenedResult> {
  const key = keptJob(flags.keep, jobId).read()?.result_key.privateKey;
  const files = await Promise.all(
    parties
      .toSorted((a, b) => a.party - b.party)
      .map(({ url, sealed }) => fetchFile(new URL(url, server), sealed, key)),
  );
  const authorities = flags.ca === undefined ? undefined : certificatesIn(contentOf(flags.ca));
  try {
    return await openResult(files, columns, { jobId, queryHash, receipts, authorities });
  } catch (error) {
    if (!(error instanceof OpenError)) throw error;
    const { code, message, place } = error;
    throw new ExitError(`${code}: ${message} ${JSON.stringify(place)}; no row is shown`);
  }
}

async function fetchFile(url: URL, sealed: boolean, privateKey?: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok || !response.body)
    throw new ExitError(`a result file cannot be read: status ${response.status}`);
  if (!sealed) return new Uint8Array(await response.arrayBuffer());
  if (privateKey === undefined)
    throw new UsageError(
      'the result is sealed to a key that is not here (--keep names its folder)',
    );
  const parts: Uint8Array[] = [];
  for await (const part of unseal(privateKey)(response.body)) parts.push(part);
  return Buffer.concat(parts);
}

const certificatesIn = (pem: string): string[] =>
  pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];

function print(context: Context, { columns, rows }: OpenedResult, warnings?: Warning[]): void {
  const names = columns.map(({ name }) => name);
  const list = rows.map((row) =>
    Object.fromEntries(row.map(({ text }, i) => [names[i] ?? '', shown(text, columns[i])])),
  );
  if (context.form === 'text' && rows.some((row) => row.some(({ suppressed }) => suppressed)))
    context.say('Cells with - are held back by a disclosure rule or have no value.');
  context.show({ list, columns: names });
  // Beside the rows, and never in the way of a program that reads them.
  for (const { code, message } of warnings ?? [])
    context.screen.write(`${plain(`${code}: ${message}`)}\n`);
}

/** Numbers that a JSON reader holds exactly are numbers, all others text. */
function shown(
  text: string | null,
  column?: OpenedResult['columns'][number],
): string | number | null {
  if (text === null || column?.type.kind !== 'number' || column.type.scale > 0) return text;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : text;
}
