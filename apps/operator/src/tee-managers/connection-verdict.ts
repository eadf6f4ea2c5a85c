import type { Backend } from '../suite/suite.js';
import { no, yes, type Verdict } from './verdict.js';

/** Whether the suite holds a stream of the manager. */
export function connectionVerdict(backend: Backend, serial: string | undefined): Verdict {
  const { active, certificate_serial: used, protocol, version } = backend;
  if (!active) {
    return used === undefined
      ? no('NeverConnected', 'the manager has not connected yet')
      : no('Disconnected', 'the suite holds no stream of the manager');
  }
  const who = [version, protocol && `dialect ${protocol}`].filter(Boolean).join(', ');
  if (serial !== undefined && used !== serial) {
    return yes('FormerCertificate', `connected with the former certificate ${used} (${who})`);
  }
  return yes('Connected', `connected (${who})`);
}

export const terminatedByUser = no(
  'TerminatedByUser',
  'a user has terminated it; a change of the spec or a new value of the annotation tee.glacis.dev/restart starts it again',
);
