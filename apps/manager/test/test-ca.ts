import type { KeyObject } from 'node:crypto';
import {
  certificate,
  crl,
  crlEntry,
  generateKeys,
  intermediateExtensions,
  keyIdOf,
  leafExtensions,
  nameDer,
  privateKeyPem,
  rootExtensions,
  spkiOf,
  toPem,
  type Issuer,
} from '@glacis/pki';

const day = 86_400_000;
const subject = (name: string): { type: 'commonName'; value: string }[] => [
  { type: 'commonName', value: name },
];

export interface PemPair {
  key: string;
  cert: string;
}

/** A CA of one's own with root and intermediate, whose root publishes its revocation list at `crlUrl`. */
export class TestCa {
  private serial = 100n;

  private constructor(
    readonly rootPem: string,
    private readonly root: Issuer,
    readonly intermediatePem: string,
    private readonly intermediate: Issuer,
    readonly intermediateSerial: bigint,
  ) {}

  static async create(crlUrl?: string): Promise<TestCa> {
    const rootKeys = await generateKeys('ECDSA-P256');
    const root = issuerOf('Test Root', rootKeys);
    const rootDer = certificate({
      ...validity(),
      serial: 1n,
      issuer: root,
      subject: subject('Test Root'),
      publicKey: rootKeys.publicKey,
      extensions: rootExtensions({ publicKey: rootKeys.publicKey, uri: 'spiffe://test' }),
    });
    const keys = await generateKeys('ECDSA-P256');
    const serial = 0x8f00_0000_0000_0001n;
    const intermediateDer = certificate({
      ...validity(),
      serial,
      issuer: root,
      subject: subject('Test Intermediate'),
      publicKey: keys.publicKey,
      extensions: intermediateExtensions({
        issuer: root,
        publicKey: keys.publicKey,
        uri: 'spiffe://test',
        pointers: { crl: crlUrl },
      }),
    });
    const intermediate = issuerOf('Test Intermediate', keys);
    const [rootPem, pem] = [rootDer, intermediateDer].map((der) => toPem('CERTIFICATE', der));
    return new TestCa(rootPem ?? '', root, pem ?? '', intermediate, serial);
  }

  /** Leaf and intermediate in one PEM. */
  async issue(name: string): Promise<PemPair> {
    const keys = await generateKeys('ECDSA-P256');
    const cert = this.sign(spkiOf(keys.publicKey), name) + this.intermediatePem;
    return { key: privateKeyPem(keys.privateKey), cert };
  }

  /** A leaf for a key, in PEM. */
  sign(publicKey: Buffer, name: string): string {
    const der = certificate({
      ...validity(),
      serial: (this.serial += 1n),
      issuer: this.intermediate,
      subject: subject(name),
      publicKey,
      extensions: leafExtensions({
        issuer: this.intermediate,
        publicKey,
        names: { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] },
        serverAuth: true,
      }),
    });
    return toPem('CERTIFICATE', der);
  }

  /** The root's revocation list. */
  crl(serials: bigint[], number = 1n): Buffer {
    return crl({
      issuer: this.root,
      entries: serials.map((serial) => crlEntry({ serial, revokedAt: new Date(), reason: 2 })),
      number,
      thisUpdate: new Date(),
      nextUpdate: new Date(Date.now() + day),
    });
  }
}

function issuerOf(name: string, keys: { publicKey: KeyObject; privateKey: KeyObject }): Issuer {
  return {
    subjectDer: nameDer(subject(name)),
    keyId: keyIdOf(keys.publicKey),
    privateKey: keys.privateKey,
  };
}

function validity(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
}
