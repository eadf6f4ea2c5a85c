import {
  openJob as openResults,
  OpenError,
  ResultKeyError,
  type JobResults,
  type JobsApi,
  type OpenedResult,
} from '@glacis/shares';
import { UsageError } from '../client.js';
import type { Context } from '../context.js';
import { ExitError } from '../exit.js';
import { plain } from '../output.js';
import { jobPath } from './calls.js';
import { keptJob } from './keep.js';
import type { KeepFlags } from './options.js';
import { contentOf } from './request.js';

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
  const results = await api.get<JobResults>(jobPath(jobId, 'results'));
  const opened = await open(api, jobId, results, flags);
  print(context, opened, results.warnings);
  if (flags.ack) await api.post(jobPath(jobId, 'results', 'ack'), {});
}

async function open(
  api: JobsApi,
  jobId: string,
  results: JobResults,
  flags: OpenFlags,
): Promise<OpenedResult> {
  const kept = keptJob(flags.keep, jobId).read();
  const privateKey = kept?.result_key.privateKey;
  const asked = { ...results, query_hash: kept?.query_hash ?? results.query_hash };
  const authorities = flags.ca === undefined ? undefined : certificatesIn(contentOf(flags.ca));
  try {
    return await openResults(api, jobId, asked, { privateKey, authorities });
  } catch (error) {
    if (error instanceof ResultKeyError)
      throw new UsageError(`${error.message} that is not here (--keep names its folder)`);
    if (!(error instanceof OpenError)) throw error;
    const { code, message, place } = error;
    throw new ExitError(`${code}: ${message} ${JSON.stringify(place)}; no row is shown`);
  }
}

const certificatesIn = (pem: string): string[] =>
  pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];

function print(
  context: Context,
  { columns, rows }: OpenedResult,
  warnings?: JobResults['warnings'],
): void {
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
