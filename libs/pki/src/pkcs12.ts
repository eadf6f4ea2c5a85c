import {
  createCipheriv,
  createHash,
  createHmac,
  pbkdf2,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';
import * as der from './der.js';

/** Content of a PKCS#12 file. */
export interface Pkcs12Spec {
  /** In DER: that of the key first, then its chain. They are not secret and stand unencrypted. */
  certificates: readonly Buffer[];
  /** Null: certificates alone. */
  privateKey: KeyObject | null;
  /** Encrypts the key and authenticates all; Java wants 6 characters at least. */
  password: string;
  /** Shown by key stores, and the alias in Java. */
  name: string;
}

/** Rounds of both key derivations, as Java writes them. */
const iterations = 10_000;
const derive = promisify(pbkdf2);

const oid = {
  data: der.oid('1.2.840.113549.1.7.1'),
  shroudedKeyBag: der.oid('1.2.840.113549.1.12.10.1.2'),
  certBag: der.oid('1.2.840.113549.1.12.10.1.3'),
  x509Certificate: der.oid('1.2.840.113549.1.9.22.1'),
  friendlyName: der.oid('1.2.840.113549.1.9.20'),
  localKeyId: der.oid('1.2.840.113549.1.9.21'),
  pbes2: der.oid('1.2.840.113549.1.5.13'),
  pbkdf2: der.oid('1.2.840.113549.1.5.12'),
  hmacWithSha256: der.oid('1.2.840.113549.2.9'),
  aes256Cbc: der.oid('2.16.840.1.101.3.4.1.42'),
  sha256: der.oid('2.16.840.1.101.3.4.2.1'),
};

/** A PKCS#12 file (RFC 7292): the key under PBES2 with AES-256, all of it under HMAC-SHA-256. DER. */
export async function pkcs12(spec: Pkcs12Spec): Promise<Buffer> {
  const [leaf, ...chain] = spec.certificates;
  if (leaf === undefined) throw new RangeError('PKCS#12: no certificate');
  const attributes = der.set(
    attribute(oid.friendlyName, bmpString(spec.name)),
    attribute(oid.localKeyId, der.octetString(createHash('sha1').update(leaf).digest())),
  );
  const certificates = [certBag(leaf, attributes), ...chain.map((each) => certBag(each))];
  const safes = [contentInfo(der.sequence(...certificates))];
  if (spec.privateKey !== null) {
    const key = await encryptedKey(spec.privateKey, spec.password);
    safes.push(contentInfo(der.sequence(bag(oid.shroudedKeyBag, key, attributes))));
  }
  const content = der.sequence(...safes);
  return der.sequence(der.integer(3), contentInfo(content), macData(content, spec.password));
}

const contentInfo = (content: Buffer): Buffer =>
  der.sequence(oid.data, der.explicit(0, der.octetString(content)));

const bag = (id: Buffer, value: Buffer, ...attributes: Buffer[]): Buffer =>
  der.sequence(id, der.explicit(0, value), ...attributes);

const certBag = (certificate: Buffer, ...attributes: Buffer[]): Buffer =>
  bag(
    oid.certBag,
    der.sequence(oid.x509Certificate, der.explicit(0, der.octetString(certificate))),
    ...attributes,
  );

const attribute = (id: Buffer, value: Buffer): Buffer => der.sequence(id, der.set(value));

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();
const bmpString = (text: string): Buffer => der.tlv(0x1e, [utf16(text)]);

/** EncryptedPrivateKeyInfo (RFC 5958 3) under PBES2 (RFC 8018 6.2). */
async function encryptedKey(key: KeyObject, password: string): Promise<Buffer> {
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const secret = await derive(password, salt, iterations, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', secret, iv);
  const clear = key.export({ type: 'pkcs8', format: 'der' });
  const kdf = der.sequence(
    oid.pbkdf2,
    der.sequence(
      der.octetString(salt),
      der.integer(iterations),
      der.sequence(oid.hmacWithSha256, der.NULL),
    ),
  );
  const scheme = der.sequence(oid.aes256Cbc, der.octetString(iv));
  return der.sequence(
    der.sequence(oid.pbes2, der.sequence(kdf, scheme)),
    der.octetString(Buffer.concat([cipher.update(clear), cipher.final()])),
  );
}

function macData(content: Buffer, password: string): Buffer {
  const salt = randomBytes(16);
  const mac = createHmac('sha256', macKey(password, salt)).update(content).digest();
  return der.sequence(
    der.sequence(der.sequence(oid.sha256, der.NULL), der.octetString(mac)),
    der.octetString(salt),
    der.integer(iterations),
  );
}

/** RFC 7292 B.2 with SHA-256 and purpose 3, of which the first block is the whole key. */
function macKey(password: string, salt: Buffer): Buffer {
  const block = 64;
  const fill = (bytes: Buffer): Buffer =>
    Buffer.alloc(Math.ceil(bytes.length / block) * block, bytes);
  let key = Buffer.concat([Buffer.alloc(block, 3), fill(salt), fill(utf16(`${password}\0`))]);
  for (let i = 0; i < iterations; i++) key = createHash('sha256').update(key).digest();
  return key;
}
