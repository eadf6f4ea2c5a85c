import type { JobsApi } from './api.js';
import {
  register,
  uploadBody,
  type Body,
  type Owner,
  type ShareOfParty,
  type Upload,
} from './owner.js';

/** Sends a body and gives the status of the answer; throws where there is none. */
export type Put = (body: Body, party: number) => Promise<number>;

/** Files that are not all stored; `final` where trying again cannot help. */
export class StoreError extends Error {
  override readonly name = 'StoreError';

  constructor(
    message: string,
    readonly final: boolean,
  ) {
    super(message);
  }
}

/** Rounds of fresh links until it is given up; a later call with the same shares goes on from there. */
const ROUNDS = 5;

/**
 * PUTs what the service misses of the newest set of an owner, with links for these sizes and digests.
 * @throws StoreError, ApiError, NoAnswerError
 */
export async function storeShares(
  api: JobsApi,
  owner: Owner,
  shares: readonly ShareOfParty[],
  put: Put,
): Promise<void> {
  const files = shares.map(({ bytes, sha256, rows }) => ({ bytes: bytes.length, sha256, rows }));
  for (let round = 1; ; round += 1) {
    const { uploads } = await register(api, owner, { files, resume: true });
    try {
      return await storeMissing(uploads, shares, put);
    } catch (error) {
      if (error instanceof StoreError && error.final) throw error;
      if (round === ROUNDS) throw new StoreError('not all files are stored', false);
    }
  }
}

async function storeMissing(
  uploads: readonly Upload[],
  shares: readonly ShareOfParty[],
  put: Put,
): Promise<void> {
  for (const upload of uploads) {
    const { party } = upload;
    judge(await put(await uploadBody(upload, shares[party].bytes), party), party);
  }
}

const FINAL: Readonly<Record<number, string>> = {
  409: 'the job takes no more data',
  413: 'the share file is too large for this job',
};

/** 412: an earlier try came through though its answer did not. */
function judge(status: number, party: number): void {
  if ((status >= 200 && status < 300) || status === 412) return;
  const final = FINAL[status];
  throw new StoreError(final ?? `party ${party} answered ${status}`, final !== undefined);
}
