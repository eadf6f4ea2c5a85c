import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const hour = 3_600_000;

export interface Pem {
  key: string;
  cert: string;
}

export interface LeafOptions {
  dns?: string[];
  ips?: string[];
  uris?: string[];
  notBefore?: Date;
  notAfter?: Date;
}

/** A throw-away CA, written with another library than the one under test. */
export class TestCa {
  private serial = 1;

  private constructor(
    readonly certificate: x509.X509Certificate,
    private readonly keys: webcrypto.CryptoKeyPair,
  ) {}

  static async create(name = 'Test Root', issuer?: TestCa): Promise<TestCa> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: issuer ? issuer.nextSerial() : '01',
      subject: `CN=${name}`,
      issuer: issuer ? issuer.certificate.subject : `CN=${name}`,
      notBefore: new Date(Date.now() - hour),
      notAfter: new Date(Date.now() + 24 * hour),
      publicKey: keys.publicKey,
      signingKey: issuer ? issuer.keys.privateKey : keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
          true,
        ),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new TestCa(certificate, keys);
  }

  get pem(): string {
    return `${this.certificate.toString('pem')}\n`;
  }

  async issue(name: string, options: LeafOptions = {}): Promise<Pem> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const names: x509.JsonGeneralNames = [
      ...(options.dns ?? []).map((value) => ({ type: 'dns' as const, value })),
      ...(options.ips ?? []).map((value) => ({ type: 'ip' as const, value })),
      ...(options.uris ?? []).map((value) => ({ type: 'url' as const, value })),
    ];
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: this.nextSerial(),
      subject: `CN=${name}`,
      issuer: this.certificate.subject,
      notBefore: options.notBefore ?? new Date(Date.now() - hour),
      notAfter: options.notAfter ?? new Date(Date.now() + hour),
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : [],
    });
    const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    const key = x509.PemConverter.encode(pkcs8, 'PRIVATE KEY');
    return { key, cert: `${certificate.toString('pem')}\n` };
  }

  private nextSerial(): string {
    this.serial += 1;
    return this.serial.toString(16).padStart(4, '0');
  }
}
