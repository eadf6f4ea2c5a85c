import type { JobsApi } from '@glacis/shares';
import type { Context } from '../context.js';
import { ExitError } from '../exit.js';
import { plain } from '../output.js';
import { jobPath } from './calls.js';
import { follow, type JobEvent } from './events.js';
import { jobExits } from './options.js';
import { ProgressBar } from './progress.js';

/** The members of a job that tell how it ended. */
interface Ended {
  state: string;
  failure?: { class: string; code: string; message: string } | null;
}

/** Follows a job to its end, with a bar on a terminal and a line for each state elsewhere. */
export async function watchJob(context: Context, api: JobsApi, jobId: string): Promise<void> {
  const bar = new ProgressBar(context.screen, 'run');
  try {
    for await (const event of follow(api, jobId)) tell(context, bar, event);
  } finally {
    bar.end();
  }
  const job = await api.get<Ended>(jobPath(jobId));
  if (job.state !== 'success') throw failed(job);
}

function tell({ screen, say }: Context, bar: ProgressBar, { event, data }: JobEvent): void {
  const { state, label, progress } = data as { state?: string; label?: string; progress?: number };
  const text = plain(label ?? state ?? event);
  if (typeof progress === 'number') bar.show(progress, text);
  else if (event === 'state' && !screen.isTTY) say(text);
}

/** Findings of stage D go to the owners; the analyst reads that an owner's data was rejected. */
function failed({ state, failure }: Ended): Error {
  if (state === 'cancelled') return new ExitError('the job was cancelled');
  const { class: kind = 'unknown', message = 'the job has failed' } = failure ?? {};
  const text = `the job has failed (${kind}): ${plain(message)}`;
  if (kind === 'data' || kind === 'policy') return new ExitError(text, jobExits.data);
  if (kind === 'timeout') return new ExitError(text, jobExits.deadline);
  return new ExitError(text, jobExits.runFailed);
}
