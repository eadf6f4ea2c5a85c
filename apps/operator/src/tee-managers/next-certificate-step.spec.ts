import { nextCertificateStep, type CertificateFacts } from './next-certificate-step.js';

const now = new Date('2026-11-21T10:00:00Z');
const later = (ms: number): Date => new Date(now.getTime() + ms);
const names = { dnsNames: ['host.example'], ipAddresses: [] };
const certificate = {
  serial: '1',
  notBefore: later(-60_000),
  notAfter: later(3_600_000),
  names,
  algorithm: 'ECDSA-P256',
};
const pending = { names, algorithm: 'ECDSA-P256', csr: 'csr', keyPem: 'key' };
const held = { certificate, superseded: [] };
const facts = (changes: Partial<CertificateFacts> = {}): CertificateFacts => ({
  held,
  wanted: { algorithm: 'ECDSA-P256', names },
  now,
  renewAt: later(1_000),
  ...changes,
});
const revoked = (revocation_reason?: string): CertificateFacts['view'] => ({
  certificate: '',
  status: 'revoked',
  revocation_reason,
});
const wish = (reissue: string): CertificateFacts['wanted'] => ({ ...facts().wanted, reissue });

describe('nextCertificateStep', () => {
  it('keeps what is good, and renews it in its time', () => {
    expect(nextCertificateStep(facts())).toEqual({ do: 'keep' });
    expect(nextCertificateStep(facts({ renewAt: now }))).toEqual({ do: 'renew' });
  });

  it.each<[string, Partial<CertificateFacts>]>([
    ['no certificate with a fitting key', { held: { superseded: [] } }],
    ['another algorithm', { wanted: { algorithm: 'Ed25519', names } }],
    [
      'another address',
      { wanted: { algorithm: 'ECDSA-P256', names: { dnsNames: [], ipAddresses: [] } } },
    ],
    ['one that the CA does not know', { view: 'unknown' }],
    ['one that has expired', { now: certificate.notAfter }],
    ['its issuer revoked', { view: revoked('cACompromise') }],
    ['a reissue that was asked for', { wanted: wish('1') }],
    ['the same after a revocation', { wanted: wish('1'), view: revoked('keyCompromise') }],
  ])('makes a new key for %s', (_, changes) => {
    expect(nextCertificateStep(facts(changes))).toMatchObject({ do: 'request' });
  });

  it('submits the request that lies ready, unless it no longer fits', () => {
    const ready = { ...held, pending };
    expect(nextCertificateStep(facts({ held: ready }))).toEqual({ do: 'submit' });
    const other = { algorithm: 'Ed25519', names };
    expect(nextCertificateStep(facts({ held: ready, wanted: other }))).toMatchObject({
      do: 'request',
    });
  });

  it('backends.md 15.7: holds what was revoked from outside, also when the Secret is lost', () => {
    const hold = { do: 'hold', revocationReason: 'keyCompromise' };
    expect(nextCertificateStep(facts({ view: revoked('keyCompromise') }))).toEqual(hold);
    const lost = { held: { superseded: [] }, view: revoked('keyCompromise') };
    expect(nextCertificateStep(facts(lost))).toEqual(hold);
    const fulfilled = { held: { ...held, reissue: '1' }, wanted: wish('1'), view: revoked() };
    expect(nextCertificateStep(facts(fulfilled))).toMatchObject({ do: 'hold' });
  });
});
