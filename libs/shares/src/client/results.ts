import { concat, type Bytes } from '../crypto/bytes.js';
import { openResult, type OpenedResult } from '../open/open.js';
import type { Receipt } from '../open/receipts.js';
import type { ResultColumn } from '../open/result.js';
import { unseal } from '../seal/unseal.js';
import type { JobsApi } from './api.js';

/** Answer of `GET /jobs/{id}/results` (jobs.md 3). */
export interface JobResults {
  query_hash: string;
  parties: { party: number; url: string; bytes: number; sha256: string; sealed: boolean }[];
  columns: ResultColumn[];
  warnings?: { code: string; message: string }[];
  receipts: Receipt[];
}

/** The result is sealed to a key that was not given. */
export class ResultKeyError extends Error {
  override readonly name = 'ResultKeyError';
}

export interface OpenOptions {
  /** Private half of the `result_key` of the job. */
  privateKey?: string;
  /** PEM of the authorities that the agents' certificates must come from; left out: that of the receipts themselves. */
  authorities?: readonly string[];
}

/**
 * Fetches the result files of a job, unseals and opens them.
 * @throws ApiError, NoAnswerError, SealError, OpenError, ResultKeyError
 */
export async function openJob(
  api: JobsApi,
  jobId: string,
  { parties, columns, receipts, query_hash: queryHash }: JobResults,
  { privateKey, authorities }: OpenOptions,
): Promise<OpenedResult> {
  const files = await Promise.all(
    parties
      .toSorted((a, b) => a.party - b.party)
      .map(({ url, sealed }) => fetchFile(api, url, sealed, privateKey)),
  );
  return openResult(files, columns, { jobId, queryHash, receipts, authorities });
}

async function fetchFile(
  api: JobsApi,
  url: string,
  sealed: boolean,
  privateKey?: string,
): Promise<Bytes> {
  // The link is signed: it goes to another server, and no token with it.
  const response = await api.with(undefined).request(url);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (!sealed) return bytes;
  if (privateKey === undefined) throw new ResultKeyError('the result is sealed to a key');
  const parts: Bytes[] = [];
  for await (const part of unseal(privateKey)([bytes])) parts.push(part);
  return concat(...parts);
}
