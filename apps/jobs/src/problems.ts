import { defineProblem, type ProblemFactory } from '@glacis/http';

/** Codes of `jobs.md` 3; on the wire with underscores. */
const conflict = (slug: string, about: string): ProblemFactory =>
  defineProblem({ slug, status: 409, title: 'Conflict', message: 'conflict', about });

const gone = (slug: string, about: string): ProblemFactory =>
  defineProblem({ slug, status: 410, title: 'Gone', message: 'gone', about });

export const badQuery = defineProblem({
  slug: 'bad-query',
  status: 400,
  title: 'Bad Request',
  message: 'bad query',
  about:
    'A parameter of the list is none, or the cursor is of another list. Begin again without it.',
});

export const alreadyEnded = conflict(
  'already-ended',
  'The job has ended or is about to, so there is nothing to cancel.',
);
export const notFailed = conflict(
  'not-failed',
  'Only a job that failed or was cancelled is tried again.',
);
export const teardownPending = conflict(
  'teardown-pending',
  'What the last attempt had running is not gone yet. Try again in a minute.',
);
export const notRetryable = defineProblem({
  slug: 'not-retryable',
  status: 422,
  title: 'Unprocessable Content',
  message: 'not retryable',
  about:
    'The same data would fail the same way. Retry with `from` set to `created`, so that owners can upload anew.',
});
export const notFinished = conflict(
  'not-finished',
  'The job has no result yet, or did not succeed.',
);
export const resultExpired = gone('expired', 'The result was deleted at the end of its retention.');
export const submitted = conflict(
  'submitted',
  'The job was submitted: its owners stay as they are.',
);
export const running = conflict('running', 'The job runs. Cancel it before it is deleted.');
export const claimUsed = gone(
  'claim-used',
  'The link was used, at the time of `used_at`. Ask for another.',
);
export const claimExpired = gone(
  'claim-expired',
  'The link was not used in time. Ask for another.',
);
export const tooManyFollowers = defineProblem({
  slug: 'too-many-followers',
  status: 503,
  title: 'Service Unavailable',
  message: 'too many streams',
  about: 'As many event streams are open as `GLACIS_JOBS_EVENT_STREAMS` allows.',
});
