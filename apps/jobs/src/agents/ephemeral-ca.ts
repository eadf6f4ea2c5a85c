import type { KeyObject } from 'node:crypto';
import {
  certificate,
  generateKeys,
  leafExtensions,
  newSerial,
  rootExtensions,
  selfIssuer,
  toPem,
  type AlternativeNames,
  type Issuer,
} from '@glacis/pki';

/** Clocks of agents may run slow. */
const backdateMs = 60_000;

export interface LeafWish {
  commonName: string;
  publicKey: KeyObject | Buffer;
  names: AlternativeNames;
  notAfter: Date;
}

/** A CA whose key lives in this process only and ends with it. Its leaves serve as client and as server. */
export class EphemeralCa {
  private constructor(
    /** PEM of its certificate. */
    readonly pem: string,
    private readonly issuer: Issuer,
    private readonly notAfter: Date,
  ) {}

  /** @param uri of its trust domain */
  static async make(commonName: string, uri: string, notAfter: Date): Promise<EphemeralCa> {
    const keys = await generateKeys('ECDSA-P256');
    const subject = [{ type: 'commonName', value: commonName }] as const;
    const issuer = selfIssuer(subject, keys);
    const der = certificate({
      serial: newSerial(),
      issuer,
      subject,
      publicKey: keys.publicKey,
      notBefore: new Date(Date.now() - backdateMs),
      notAfter,
      extensions: rootExtensions({ publicKey: keys.publicKey, uri }),
    });
    return new EphemeralCa(toPem('CERTIFICATE', der), issuer, notAfter);
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
