import { defineProblem, type Problem } from '@glacis/http';

const unavailable = defineProblem({
  slug: 'service-unavailable',
  status: 503,
  title: 'Service Unavailable',
  message: 'service unavailable',
  about:
    'No replica of the service that `service` names took the request, so nothing has happened. Repeat it after the seconds of `Retry-After`.',
});

const failed = defineProblem({
  slug: 'service-failed',
  status: 502,
  title: 'Bad Gateway',
  message: 'service failed',
  about:
    'The service that `service` names got the request and broke off before its answer. Look what has come of it before you repeat anything but a read, or repeat it with the same `Idempotency-Key`.',
});

const timeout = defineProblem({
  slug: 'service-timeout',
  status: 504,
  title: 'Gateway Timeout',
  message: 'service timeout',
  about:
    'The service that `service` names got the request and did not answer in time. Look what has come of it before you repeat anything but a read, or repeat it with the same `Idempotency-Key`.',
});

/** What the door answers for a service that does not. */
export const serviceProblems = {
  unavailable: (service: string, cause?: unknown): Problem =>
    unavailable(`the service ${service} does not take requests`, {
      members: { service },
      headers: { 'retry-after': '1' },
      cause,
    }),
  failed: (service: string, cause: unknown): Problem =>
    failed(`the service ${service} broke off`, { members: { service }, cause }),
  timeout: (service: string, cause: unknown): Problem =>
    timeout(`the service ${service} did not answer in time`, { members: { service }, cause }),
};
