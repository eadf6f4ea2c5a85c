import {
  certificate,
  crossExtensions,
  fromPem,
  generateKeys,
  intermediateExtensions,
  leafExtensions,
  rootExtensions,
  selfIssuer,
  spkiOf,
  nameDer,
  type Issuer,
  type KeyPair,
} from '@glacis/pki';
import { chainPem } from './certificate-chain.js';

const uri = 'spiffe://test';
const nameOf = (value: string): { type: 'commonName'; value: string }[] => [
  { type: 'commonName', value },
];
const times = { notBefore: new Date('2026-01-01'), notAfter: new Date('2036-01-01') };
let serial = 1n;

function signed(
  issuer: Issuer,
  subject: Buffer,
  { publicKey, extensions }: { publicKey: Buffer; extensions: Buffer[] },
): Buffer {
  return certificate({ ...times, serial: serial++, issuer, subject, publicKey, extensions });
}

interface Root {
  issuer: Issuer;
  publicKey: Buffer;
  der: Buffer;
}

async function rootOf(name: string): Promise<Root> {
  const keys = await generateKeys('ECDSA-P256');
  const issuer = selfIssuer(nameOf(name), keys);
  const publicKey = spkiOf(keys.publicKey);
  const extensions = rootExtensions({ publicKey: keys.publicKey, uri });
  return { issuer, publicKey, der: signed(issuer, issuer.subjectDer, { publicKey, extensions }) };
}

const cross = (subject: Root, { issuer }: Root): Buffer =>
  signed(issuer, subject.issuer.subjectDer, {
    publicKey: subject.publicKey,
    extensions: crossExtensions({ issuer, publicKey: subject.publicKey, uri }),
  });

function below(issuer: Issuer, name: string, keys: KeyPair, isLeaf = false): Buffer {
  const { publicKey } = keys;
  const extensions = isLeaf
    ? leafExtensions({ issuer, publicKey, names: { uris: [uri] }, serverAuth: false })
    : intermediateExtensions({ issuer, publicKey, uri });
  return signed(issuer, nameDer(nameOf(name)), { publicKey: spkiOf(publicKey), extensions });
}

it('bug: while two roots cross-signed each other the chain of a host had both cross certificates', async () => {
  const [old, next] = [await rootOf('old'), await rootOf('next')];
  const keys = await generateKeys('ECDSA-P256');
  const intermediate = below(next.issuer, 'issuing', keys);
  const leaf = below(
    selfIssuer(nameOf('issuing'), keys),
    'host',
    await generateKeys('ECDSA-P256'),
    true,
  );
  const towardsOld = cross(next, old);
  const all = [old.der, next.der, intermediate, cross(old, next), towardsOld];
  const chain = fromPem(chainPem(leaf, all)).map(({ der }) => der);
  expect(chain).toEqual([leaf, intermediate, towardsOld]);
});
