import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  certificate,
  fromPem,
  generateKeys,
  intermediateExtensions,
  keyIdOf,
  leafExtensions,
  newSerial,
  responderExtensions,
  rootExtensions,
  selfIssuer,
  spkiOf,
  toPem,
  type CaKeyAlgorithm,
  type Issuer,
  type KeyPair,
  type LeafProfile,
  type OcspResponder,
} from '../src/index.js';

export interface OpensslResult {
  code: number;
  /** Standard output and error together. */
  output: string;
}

/** Runs the openssl binary; a command that fails is a result, a missing binary is not. */
export function openssl(...args: (string | string[])[]): Promise<OpensslResult> {
  return new Promise((resolve, reject) => {
    execFile('openssl', args.flat(), { encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ code: Number(error?.code ?? 0), output: stdout + stderr });
    }).stdin?.end();
  });
}

/** A folder that is gone when the tests of this file are. */
export function testFolder(): {
  put(name: string, content: Uint8Array | string): string;
  path: string;
} {
  const path = mkdtempSync(join(tmpdir(), 'glacis-pki-'));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    put(name, content) {
      const file = join(path, name);
      writeFileSync(file, content);
      return file;
    },
  };
}

export const day = 86_400_000;
export const uri = 'spiffe://test.example';
export const status = 'http://status.example.com/certs';
export const shardUrl = `${status}/crl/ca/3.crl`;

export interface TestCa {
  root: TestAuthority;
  intermediate: TestAuthority;
}
export interface TestAuthority extends Issuer {
  der: Buffer;
  spki: Buffer;
}

export async function testCa(algorithm: CaKeyAlgorithm, now = new Date()): Promise<TestCa> {
  const root = authority(await generateKeys(algorithm), 'Test Root CA 1 00000000', { now });
  const issuing = await generateKeys(algorithm);
  return { root, intermediate: authority(issuing, 'Test Issuing CA 1 00000000', { now, root }) };
}

function authority(
  keys: KeyPair,
  commonName: string,
  { now, root }: { now: Date; root?: TestAuthority },
): TestAuthority {
  const self = selfIssuer(
    [
      { type: 'organization', value: 'Test' },
      { type: 'commonName', value: commonName },
    ],
    keys,
  );
  const spki = spkiOf(keys.publicKey);
  const pointers = { caIssuers: `${status}/ca/root.crt`, crl: `${status}/crl/root/root.crl` };
  const der = certificate({
    serial: newSerial(),
    issuer: root ?? self,
    subject: self.subjectDer,
    publicKey: spki,
    notBefore: new Date(now.getTime() - 60_000),
    notAfter: new Date(now.getTime() + (root ? 730 : 3650) * day),
    extensions: root
      ? intermediateExtensions({ issuer: root, publicKey: spki, uri, pointers })
      : rootExtensions({ publicKey: spki, uri }),
  });
  return { ...self, der, spki };
}

export function testLeaf(
  issuer: Issuer,
  spki: Buffer,
  more: Partial<LeafProfile> & { serial?: bigint; notAfter?: Date } = {},
): Buffer {
  const { serial = newSerial(), notAfter = new Date(Date.now() + 90 * day), ...profile } = more;
  return certificate({
    serial,
    issuer,
    subject: [
      { type: 'organization', value: 'Test' },
      { type: 'commonName', value: 'ca219243-0dd4-4e6e-94ad-54fbf3dd8b32' },
    ],
    publicKey: spki,
    notBefore: new Date(Date.now() - 60_000),
    notAfter,
    extensions: leafExtensions({
      issuer,
      publicKey: spki,
      names: { uris: [`${uri}/tenant/t/backend/b`] },
      pointers: { ocsp: `${status}/ocsp`, caIssuers: `${status}/ca/ca.crt`, crl: shardUrl },
      ...profile,
    }),
  });
}

export async function testResponder(
  issuer: Issuer,
  algorithm: CaKeyAlgorithm = 'ECDSA-P256',
): Promise<OcspResponder> {
  const keys = await generateKeys(algorithm);
  const spki = spkiOf(keys.publicKey);
  return {
    privateKey: keys.privateKey,
    keyId: keyIdOf(spki),
    certificate: certificate({
      serial: newSerial(),
      issuer,
      subject: [{ type: 'commonName', value: 'Test OCSP Responder' }],
      publicKey: spki,
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 7 * day),
      extensions: responderExtensions({ issuer, publicKey: spki }),
    }),
  };
}

export const certificatePem = (...ders: Buffer[]): string =>
  ders.map((der) => toPem('CERTIFICATE', der)).join('');

/** DER of the first block of a PEM text. */
export function derOf(pem: string): Buffer {
  const [block] = fromPem(pem);
  if (block === undefined) throw new Error('no PEM block');
  return block.der;
}
