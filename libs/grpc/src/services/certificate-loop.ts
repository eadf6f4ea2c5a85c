import { Loop, type Clock } from '@glacis/runtime';
import type { ServiceCertificate } from './service-certificate.js';

/** Short, as `certificates` may start after us. */
const tryMs = 500;
/** From one look at a certificate that holds to the next: for so long ours may be one that nobody takes any more. */
const checkMs = 10_000;

export interface CertificateLoopOptions {
  certificate: Pick<ServiceCertificate, 'refresh'>;
  /** Takes the new credentials; called again when it fails. Default: nothing is to be done. */
  use?: () => Promise<void>;
  clock: Clock;
  /** Told of the first failure of a row. */
  onError: (error: unknown) => void;
}

/** Gets a service's certificate as soon as `certificates` answers, and keeps it fresh from then on. */
export function certificateLoop({
  certificate,
  use = async () => undefined,
  clock,
  onError,
}: CertificateLoopOptions): Loop {
  let nextCheck = 0;
  let unused = false;
  let failing = false;
  const run = async (): Promise<void> => {
    const now = clock.now().getTime();
    if (now < nextCheck) return;
    while ((await certificate.refresh()) || unused) {
      unused = true;
      await use();
      unused = false;
    }
    nextCheck = now + checkMs;
    failing = false;
  };
  return new Loop({
    name: 'service certificate',
    intervalMs: tryMs,
    run,
    onError: (error) => {
      if (!failing) onError(error);
      failing = true;
    },
  });
}
