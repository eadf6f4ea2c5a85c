import { ApiError, type JobsApi } from '@glacis/shares';
import type { Context } from '../context.js';
import { ExitError } from '../exit.js';
import { plain } from '../output.js';
import { jobPath } from './calls.js';
import { jobExits } from './options.js';

interface Finding {
  owner?: string;
  party?: number;
  code: string;
  row?: number;
  column?: string;
  message?: string;
}

/** Submits; what the data lacks is printed, one line for each finding. @throws ExitError 3 */
export async function submitJob(context: Context, api: JobsApi, jobId: string): Promise<void> {
  try {
    await api.post('/submit_job', { job_id: jobId });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 500) throw error;
    const path = jobPath(jobId, 'validation');
    const { findings } = await api.get<{ findings: Finding[] }>(path);
    for (const finding of findings) context.screen.write(`${findingText(finding)}\n`);
    throw new ExitError(error.message, jobExits.data);
  }
}

export function findingText({ owner, party, code, row, column, message = '' }: Finding): string {
  const place = [
    owner === undefined ? '' : `owner ${owner}`,
    party === undefined ? '' : `party ${party}`,
    row === undefined ? '' : `row ${row}`,
    column === undefined ? '' : `column ${column}`,
  ];
  return plain([code, ...place.filter(Boolean)].join(', ') + (message && `: ${message}`));
}
