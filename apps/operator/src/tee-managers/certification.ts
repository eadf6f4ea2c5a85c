import { isRefusal } from '../suite/suite-error.js';
import type { Backend, CertificateView } from '../suite/suite.js';
import { certificateNames } from './backend-input.js';
import { takeStep } from './certificate-steps.js';
import { nextCertificateStep, type CertificateStep } from './next-certificate-step.js';
import { renewalTime } from './renewal-time.js';
import { wishes } from './tee-manager.js';
import { readTlsSecret, secretName, type HeldCertificate, type Secret } from './tls-secret.js';
import { no, wholeSeconds, yes, type Verdict } from './verdict.js';
import type { Work } from './work.js';

export interface Certification {
  verdict: Verdict;
  /** What the manager is to run with; absent: it cannot. */
  held?: HeldCertificate;
  /** Revoked, and to stay so until somebody says otherwise: the manager is not to run. */
  revoked?: boolean;
  renewAt?: Date;
  secret?: Secret;
}

type View = CertificateView | 'unknown' | undefined;

/** More steps than any certificate needs. */
const maxSteps = 4;

/**
 * Sees to it that the Secret holds a certificate that counts.
 * @param thorough ask the CA whether it was revoked
 */
export async function certify(
  work: Work,
  backend: Backend,
  thorough: boolean,
): Promise<Certification> {
  const { namespace, name, uid } = work.manager.metadata;
  let secret = await work.secrets.find({ namespace, name: secretName(name) });
  if (secret && !secret.metadata.ownerReferences?.some((owner) => owner.uid === uid)) {
    const message = `the Secret ${secretName(name)} is not of this TeeManager`;
    return { verdict: no('ObjectConflict', message) };
  }
  let view = thorough ? await viewOf(work, secret) : undefined;
  for (let turn = 0; turn < maxSteps; turn++) {
    const step = stepOf(work, secret, view);
    if (step.do === 'keep' || step.do === 'hold') return concluded(work, secret, step);
    const taken = await tryStep(work, { step, secret, backend });
    if ('refused' in taken) return { ...concluded(work, secret), verdict: taken.refused };
    ({ secret = secret, view } = taken);
  }
  return { verdict: no('Refused', 'what the CA issues does not fit the request'), secret };
}

type Taken = { secret?: Secret; view?: View } | { refused: Verdict };

async function tryStep(work: Work, order: Parameters<typeof takeStep>[1]): Promise<Taken> {
  const { memory, now } = work;
  const ask = askOf(work, order.secret, order.step);
  const refused = memory.refusals.standing(ask, now);
  if (refused) return { refused };
  try {
    return { secret: await takeStep(work, order) };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const over = isRefusal(error, 'certificate-revoked', 'certificate-expired');
    return over
      ? { view: await viewOf(work, order.secret) }
      : { refused: memory.refusals.note(ask, error, now) };
  }
}

/** Of the certificate in the Secret, else of the one that was there. */
async function viewOf({ manager, suite }: Work, secret: Secret | undefined): Promise<View> {
  const serial = readTlsSecret(secret).certificate?.serial ?? manager.status?.certificateSerial;
  return serial === undefined ? undefined : ((await suite.certificate(serial)) ?? 'unknown');
}

function stepOf({ manager, now }: Work, secret: Secret | undefined, view: View): CertificateStep {
  const held = readTlsSecret(secret);
  const { certificate } = manager.spec;
  const wanted = {
    algorithm: certificate.keyAlgorithm,
    names: certificateNames(manager),
    reissue: manager.metadata.annotations?.[wishes.reissue],
  };
  const renewAt = held.certificate && renewalTime(certificate, held.certificate);
  return nextCertificateStep({ held, wanted, now, renewAt, view });
}

function concluded(
  { manager }: Work,
  secret: Secret | undefined,
  step: CertificateStep = { do: 'keep' },
): Certification {
  const { certificate: held } = readTlsSecret(secret);
  if (step.do === 'hold') {
    const serial = held?.serial ?? manager.status?.certificateSerial;
    const message = `certificate ${serial} was revoked (${step.revocationReason}); a new value of the annotation ${wishes.reissue} has another issued`;
    return { verdict: no('Revoked', message), held, revoked: true, secret };
  }
  if (!held) return { verdict: no('Missing', 'there is no certificate'), secret };
  const renewAt = renewalTime(manager.spec.certificate, held);
  const message = `certificate ${held.serial} until ${wholeSeconds(held.notAfter)}, to be renewed at ${wholeSeconds(renewAt)}`;
  return { verdict: yes('Issued', message), held, renewAt, secret };
}

/** What a refusal is remembered by: all that the answer may depend on. */
function askOf({ manager }: Work, secret: Secret | undefined, step: CertificateStep): string {
  const { certificate, pending } = readTlsSecret(secret);
  const of = step.do === 'submit' ? pending?.csr : `${step.do} ${certificate?.serial}`;
  return `${manager.metadata.uid} ${manager.spec.certificate.ttl} ${of}`;
}
