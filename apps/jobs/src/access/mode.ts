import type { JobsSettings, Listener } from '../settings.js';

/** Whether contract routes need no token (`jobs.md` 1.2, 12). */
export interface Mode {
  open: boolean;
}

/** Injection token of the {@link Mode}. */
export const MODE = Symbol('jobs mode');

/** The service does not start: anybody who reaches it could make jobs. Set `jobs.allowOpen`, or `jobs.auth` to `token`. */
export class OpenToOthersError extends Error {
  constructor(host: string) {
    super(
      `jobs.auth is open, but ${host} is no loopback address; GLACIS_JOBS_ALLOW_OPEN allows it`,
    );
  }
}

/**
 * @param allLocal whether all drivers are local
 * @throws {OpenToOthersError}
 */
export function modeOf(
  { auth, allowOpen }: Pick<JobsSettings, 'auth' | 'allowOpen'>,
  { host }: Listener,
  allLocal: boolean,
): Mode {
  if (auth === 'auto') return { open: isLoopback(host) && allLocal };
  if (auth === 'open' && !allowOpen && !isLoopback(host)) throw new OpenToOthersError(host);
  return { open: auth === 'open' };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
