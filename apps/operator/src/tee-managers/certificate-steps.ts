import { createHash } from 'node:crypto';
import { generateKeys, namedCsr, privateKeyPem, toPem } from '@glacis/pki';
import type { Backend } from '../suite/suite.js';
import { certificateNames } from './backend-input.js';
import type { CertificateStep } from './next-certificate-step.js';
import { notes, wishes } from './tee-manager.js';
import { files, readTlsSecret, type Secret } from './tls-secret.js';
import { writeSecret } from './tls-secret-writer.js';
import type { Work } from './work.js';

export interface Order {
  step: CertificateStep;
  secret: Secret | undefined;
  backend: Backend;
}

/**
 * Takes one step. Each leaves in the Secret what the next one needs, so that a step that is repeated after a crash gives
 * the same key and the same serial.
 */
export function takeStep(work: Work, order: Order): Promise<Secret> {
  switch (order.step.do) {
    case 'request':
      return request(work, order.secret, order.step.why);
    case 'submit':
      return submit(work, order);
    default:
      return renew(work, order);
  }
}

/** The private key is in the Secret before anybody hears of it, and leaves it never. */
async function request(work: Work, secret: Secret | undefined, why: string): Promise<Secret> {
  const { manager } = work;
  const { privateKey } = await generateKeys(manager.spec.certificate.keyAlgorithm);
  const csr = namedCsr(privateKey, certificateNames(manager));
  const data = {
    [files.nextKey]: privateKeyPem(privateKey),
    [files.nextRequest]: toPem('CERTIFICATE REQUEST', csr),
  };
  const written = await writeSecret(work, secret, { data, annotations: {} });
  work.tell({ reason: 'KeyMade', action: 'Issue', note: `new key for a certificate: ${why}` });
  return written;
}

async function submit(work: Work, { secret, backend }: Order): Promise<Secret> {
  const { manager, suite } = work;
  const { pending, certificate: old, superseded } = readTlsSecret(secret);
  if (!pending) throw new Error('there is no request to submit');
  const { csr, keyPem } = pending;
  const key = createHash('sha256').update(csr).digest('base64url');
  const issued = await suite.issue(backend.id, { csr, ttl: manager.spec.certificate.ttl, key });
  const stillValid = old && (await suite.certificate(old.serial))?.status === 'valid';
  const roots = await suite.roots();
  const written = await writeSecret(work, secret, {
    data: {
      [files.roots]: roots,
      [files.certificate]: issued.certificate,
      [files.key]: keyPem,
      [files.nextKey]: null,
      [files.nextRequest]: null,
    },
    annotations: {
      [notes.serial]: issued.serial,
      [notes.superseded]: listed(stillValid ? [...superseded, old.serial] : superseded),
      [notes.reissue]: manager.metadata.annotations?.[wishes.reissue] ?? null,
    },
  });
  work.tell({ reason: 'CertificateIssued', action: 'Issue', note: `certificate ${issued.serial}` });
  return written;
}

async function renew(work: Work, { secret }: Order): Promise<Secret> {
  const { manager, suite } = work;
  const { certificate: old, superseded } = readTlsSecret(secret);
  if (!old) throw new Error('there is no certificate to renew');
  const issued = await suite.renew(old.serial, manager.spec.certificate.ttl);
  const roots = await suite.roots();
  const written = await writeSecret(work, secret, {
    data: { [files.roots]: roots, [files.certificate]: issued.certificate },
    annotations: {
      [notes.serial]: issued.serial,
      [notes.superseded]: listed([...superseded, old.serial]),
    },
  });
  const note = `certificate ${issued.serial} in place of ${old.serial}`;
  work.tell({ reason: 'CertificateRenewed', action: 'Renew', note });
  return written;
}

/**
 * Revokes what the certificate that is now in use has replaced; earlier, that would cut the live stream.
 * @returns whether something is still to be revoked
 */
export async function retire(work: Work, secret: Secret, backend: Backend): Promise<boolean> {
  const { certificate, superseded } = readTlsSecret(secret);
  if (superseded.length === 0) return false;
  const inUse = backend.active === true && backend.certificate_serial === certificate?.serial;
  if (!certificate || !inUse) return true;
  for (const serial of superseded) {
    await work.suite.revoke(serial, 'superseded');
    const note = `certificate ${serial} revoked: ${certificate.serial} is in use`;
    work.tell({ reason: 'FormerRevoked', action: 'Revoke', note });
  }
  await writeSecret(work, secret, { data: {}, annotations: { [notes.superseded]: null } });
  return false;
}

const listed = (serials: string[]): string | null => serials.join(',') || null;
