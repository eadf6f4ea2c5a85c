import type { JobsApi } from '@glacis/shares';
import type { Context } from '../context.js';
import { ExitError } from '../exit.js';
import { plain } from '../output.js';
import { jobPath } from './calls.js';
import { follow } from './events.js';
import { jobExits } from './options.js';
import { ProgressBar } from './progress.js';

/** The members of a job that tell how it ended. */
interface Ended {
  state: string;
  failure?: { class: string; code: string; message: string } | null;
}

/** What a `state` event tells of a job (jobs.md 3). */
interface Told {
  /** Absent before it is submitted. */
  label?: string | null;
  /** Of its way to the result, 0 to 1. */
  progress?: number;
}

/** Follows a job to its end, with a bar on a terminal and a line for each label elsewhere. */
export async function watchJob(context: Context, api: JobsApi, jobId: string): Promise<void> {
  const bar = new ProgressBar(context.screen, 'run');
  let said: string | undefined;
  try {
    for await (const { event, data } of follow(api, jobId)) {
      const { label, progress = 0 } = data as Told;
      if (event !== 'state' || !label) continue;
      const text = plain(label);
      bar.show(progress, text);
      if (!context.screen.isTTY && text !== said) context.say(text);
      said = text;
    }
  } finally {
    bar.end();
  }
  const job = await api.get<Ended>(jobPath(jobId));
  if (job.state !== 'success') throw failed(job);
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
