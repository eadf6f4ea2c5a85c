import { isDeepStrictEqual } from 'node:util';
import type { CertificateView } from '../suite/suite.js';
import type { CertificateNames } from './backend-input.js';
import type { TlsState } from './tls-secret.js';

export interface CertificateFacts {
  held: TlsState;
  wanted: { algorithm: string; names: CertificateNames; reissue?: string };
  now: Date;
  /** When the one that is held is to be renewed. */
  renewAt?: Date;
  /** What the CA says of the latest one: absent, nobody has asked; `unknown`, it knows of none. */
  view?: CertificateView | 'unknown';
}

export type CertificateStep =
  /** A new key, and a request for it; nothing is sent yet. */
  | { do: 'request'; why: string }
  /** Have a certificate issued for the request that lies ready. */
  | { do: 'submit' }
  /** Another certificate for the same key. */
  | { do: 'renew' }
  /** Revoked, and not for us to put right. */
  | { do: 'hold'; revocationReason: string }
  | { do: 'keep' };

/** What the certificate of a TeeManager needs next. */
export function nextCertificateStep(facts: CertificateFacts): CertificateStep {
  const { held, wanted, renewAt, now } = facts;
  if (held.pending && fits(held.pending, wanted)) return { do: 'submit' };
  if (wanted.reissue !== undefined && wanted.reissue !== held.reissue) {
    return request('reissue was asked for');
  }
  const revocationReason = revocationOf(facts);
  // That its issuer was revoked is no judgement on this host.
  if (revocationReason === 'cACompromise') return request('its issuer was revoked');
  if (revocationReason !== undefined) return { do: 'hold', revocationReason };
  const why = fault(facts);
  if (why !== undefined) return request(why);
  return renewAt && now >= renewAt ? { do: 'renew' } : { do: 'keep' };
}

function revocationOf({ view }: CertificateFacts): string | undefined {
  if (view === undefined || view === 'unknown' || view.status !== 'revoked') return undefined;
  return view.revocation_reason ?? 'unspecified';
}

/** Why what is held cannot go on, not even renewed. */
function fault({ held, wanted, view, now }: CertificateFacts): string | undefined {
  const { certificate } = held;
  if (!certificate) return 'there is none with a fitting key';
  if (certificate.algorithm !== wanted.algorithm) return 'another key algorithm is wanted';
  if (!isDeepStrictEqual(certificate.names, wanted.names)) return 'the address has changed';
  if (view === 'unknown') return 'the CA does not know it';
  return now >= certificate.notAfter ? 'it has expired' : undefined;
}

const request = (why: string): CertificateStep => ({ do: 'request', why });

const fits = (
  request: { algorithm: string; names: CertificateNames },
  wanted: CertificateFacts['wanted'],
): boolean =>
  request.algorithm === wanted.algorithm && isDeepStrictEqual(request.names, wanted.names);
