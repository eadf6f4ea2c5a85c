import type { KeyObject } from 'node:crypto';
import {
  certificate,
  leafExtensions,
  newSerial,
  rootExtensions,
  selfIssuer,
  toPem,
  type AlternativeNames,
  type Issuer,
  type KeyPair,
} from '@glacis/pki';

/** Clocks of agents may run slow. */
const backdateMs = 60_000;

export interface LeafWish {
  commonName: string;
  publicKey: KeyObject | Buffer;
  names: AlternativeNames;
  notAfter: Date;
}

export interface AuthorityWish {
  commonName: string;
  /** Of its trust domain. */
  uri: string;
  keys: KeyPair;
  notAfter: Date;
}

/** A CA by itself, for those who are told of it. Its leaves serve as client and as server. */
export class CertificateAuthority {
  /** PEM of its certificate. */
  readonly pem: string;
  private readonly issuer: Issuer;
  private readonly notAfter: Date;

  constructor({ commonName, uri, keys, notAfter }: AuthorityWish) {
    const subject = [{ type: 'commonName', value: commonName }] as const;
    this.issuer = selfIssuer(subject, keys);
    this.notAfter = notAfter;
    const der = certificate({
      serial: newSerial(),
      issuer: this.issuer,
      subject,
      publicKey: keys.publicKey,
      notBefore: new Date(Date.now() - backdateMs),
      notAfter,
      extensions: rootExtensions({ publicKey: keys.publicKey, uri }),
    });
    this.pem = toPem('CERTIFICATE', der);
  }

  /** A certificate in DER, which ends with the CA at the latest. */
  sign({ commonName, publicKey, names, notAfter }: LeafWish): Buffer {
    return certificate({
      serial: newSerial(),
      issuer: this.issuer,
      subject: [{ type: 'commonName', value: commonName }],
      publicKey,
      notBefore: new Date(Date.now() - backdateMs),
      notAfter: notAfter < this.notAfter ? notAfter : this.notAfter,
      extensions: leafExtensions({ issuer: this.issuer, publicKey, names, serverAuth: true }),
    });
  }
}
