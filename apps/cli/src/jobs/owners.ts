import type { JobsApi } from '@glacis/shares';
import { jobPath } from './calls.js';

/** A row of `GET /jobs/{id}/owners`. */
export interface OwnerRow {
  data_owner: string;
  table: string | null;
  sets: { set: number; files: boolean[]; complete: boolean }[];
  effective_set?: number | null;
}

export interface ClaimLink {
  data_owner: string;
  claim_url: string;
  expires_at: string;
}

export async function ownersOf(api: JobsApi, jobId: string): Promise<OwnerRow[]> {
  return (await api.get<{ items: OwnerRow[] }>(jobPath(jobId, 'owners'))).items;
}

/** A one-use link by which its holder becomes that owner. */
export const inviteOwner = (api: JobsApi, jobId: string, owner: string): Promise<ClaimLink> =>
  api.post(jobPath(jobId, 'owners'), { data_owner: owner });

/** Between two looks at who has uploaded, in ms. */
const LOOK_MS = 1000;

/** Waits until every one of these owners has a complete set of every table that it registered for. */
export async function uploadsOf(
  api: JobsApi,
  jobId: string,
  names: readonly string[],
  onLook: (done: number) => void,
): Promise<void> {
  for (;;) {
    const rows = await ownersOf(api, jobId);
    const done = names.filter((name) => {
      const own = rows.filter(({ data_owner: owner }) => owner === name);
      return own.length > 0 && own.every(({ sets }) => sets.some(({ complete }) => complete));
    });
    onLook(done.length);
    if (done.length === names.length) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
