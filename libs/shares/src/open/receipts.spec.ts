import { createPrivateKey, sign } from 'node:crypto';
import {
  certificate,
  generateKeys,
  leafExtensions,
  newSerial,
  rootExtensions,
  selfIssuer,
  toPem,
  type CaKeyAlgorithm,
  type KeyPair,
} from '@glacis/pki';
import { resultFiles } from '../../test/results.js';
import {
  openResult,
  receiptText,
  type Expected,
  type Receipt,
  type ReceiptBody,
} from '../index.js';
import { hex, sha256 } from '../crypto/bytes.js';

const dates = { notBefore: new Date('2026-01-01'), notAfter: new Date('2026-01-02') };

interface Authority {
  pem: string;
  leaf: (keys: KeyPair) => string;
}

async function authority(algorithm: CaKeyAlgorithm): Promise<Authority> {
  const keys = await generateKeys(algorithm);
  const subject = [{ type: 'commonName', value: 'a job' }] as const;
  const issuer = selfIssuer(subject, keys);
  const common = { issuer, ...dates };
  const extensions = rootExtensions({ publicKey: keys.publicKey, uri: 'spiffe://glacis.test' });
  const der = certificate({
    ...common,
    serial: newSerial(),
    subject,
    publicKey: keys.publicKey,
    extensions,
  });
  return {
    pem: toPem('CERTIFICATE', der),
    leaf: ({ publicKey }) => {
      const names = { uris: ['spiffe://glacis.test/party/x'] };
      const extensions = leafExtensions({ issuer, publicKey, names, serverAuth: true });
      const leaf = [{ type: 'commonName', value: 'party' }] as const;
      return toPem(
        'CERTIFICATE',
        certificate({ ...common, serial: newSerial(), subject: leaf, publicKey, extensions }),
      );
    },
  };
}

const files = resultFiles([{ name: '#V', form: 'boolean', bits: 32, values: [1n, 0n] }]);
const digests = await Promise.all(files.map(async (file) => `sha256:${hex(await sha256(file))}`));
const queryHash = `sha256:${'0'.repeat(64)}`;

const bodyOf = (party: number): ReceiptBody => ({
  attempt: 1,
  engine: queryHash,
  inputs: [{ owner: 'a', set: 1, sha256: `sha256:${String(party).repeat(64)}`, table: null }],
  job_id: 'job',
  limits: {
    counted: 'rows',
    max_aggregates: 4,
    max_degree: 2,
    max_share_percent: 100,
    min_group_size: 5,
    min_owners: 1,
    raw_rows: 'none',
    residual: true,
  },
  party,
  plan_hash: queryHash,
  policies: [],
  query_hash: queryHash,
  result_sha256: digests[party]!,
  slots: 2,
});

interface Signer {
  keys: KeyPair;
  chain: string[];
}

function signed({ keys, chain }: Signer, body: ReceiptBody): Receipt {
  const text = Buffer.from(receiptText(body));
  const ed25519 = keys.privateKey.asymmetricKeyType === 'ed25519';
  const bytes = ed25519
    ? sign(null, text, createPrivateKey(keys.privateKey.export({ type: 'pkcs8', format: 'pem' })))
    : sign('sha256', text, { key: keys.privateKey, dsaEncoding: 'ieee-p1363' });
  const alg = ed25519 ? 'Ed25519' : 'ES256';
  return { party: body.party, alg, chain, body, signature: bytes.toString('base64url') };
}

async function signers(ca: Authority, kind: CaKeyAlgorithm): Promise<Signer[]> {
  const all = await Promise.all(files.map(() => generateKeys(kind)));
  return all.map((keys) => ({ keys, chain: [ca.leaf(keys), ca.pem] }));
}

const open = (receipts: readonly Receipt[], more: Partial<Expected> = {}): Promise<unknown> =>
  openResult(files, [], { jobId: 'job', queryHash, receipts, ...more });

describe('receipts', () => {
  test.each([
    ['ECDSA-P256', 'ECDSA-P256'],
    ['ECDSA-P384', 'Ed25519'],
    ['ECDSA-P521', 'ECDSA-P256'],
    ['Ed25519', 'Ed25519'],
    ['RSA-2048', 'ECDSA-P256'],
  ] as const)('jobs.md 3.1: chains of %s with keys of %s', async (root, leaf) => {
    const ca = await authority(root);
    const receipts = (await signers(ca, leaf)).map((signer, party) =>
      signed(signer, bodyOf(party)),
    );
    await expect(open(receipts)).resolves.toMatchObject({ rows: [[]] });
    await expect(open(receipts, { authorities: [ca.pem] })).resolves.toBeDefined();
    const alone = receipts.map((receipt) => ({ ...receipt, chain: receipt.chain.slice(0, 1) }));
    await expect(open(alone, { authorities: [ca.pem] })).resolves.toBeDefined();
    const other = await authority('ECDSA-P256');
    await expect(open(alone, { authorities: [other.pem] })).rejects.toMatchObject({
      code: 'receipt_mismatch',
    });
  });

  test('jobs.md 13: altered or missing receipts are receipt_mismatch', async () => {
    const ca = await authority('ECDSA-P256');
    const all = await signers(ca, 'ECDSA-P256');
    const good = all.map((signer, party) => signed(signer, bodyOf(party)));
    const [first, second, third] = good as [Receipt, Receipt, Receipt];
    const changed = (change: Partial<ReceiptBody>): Receipt =>
      signed(all[0]!, { ...bodyOf(0), ...change });
    const foreign = await authority('ECDSA-P256');
    const wrong: Receipt[][] = [
      [],
      [first, second],
      [first, first, third],
      [second, first, third].map((receipt, party) => ({ ...receipt, party })),
      [{ ...first, signature: second.signature }, second, third],
      [{ ...first, signature: '' }, second, third],
      [{ ...first, alg: 'Ed25519' }, second, third],
      [{ ...first, chain: [] }, second, third],
      [{ ...first, chain: ['x'] }, second, third],
      [{ ...first, chain: [first.chain[0]!, foreign.pem] }, second, third],
      [{ ...first, body: { ...first.body, slots: 3 } }, second, third],
      [signed(all[1]!, bodyOf(0)), second, third],
      [changed({ attempt: 2 }), second, third],
      [changed({ plan_hash: digests[0] }), second, third],
      [changed({ job_id: 'other' }), second, third],
      [changed({ query_hash: digests[0] }), second, third],
      [changed({ result_sha256: digests[1] }), second, third],
      [changed({ slots: 3 }), second, third],
      [changed({ inputs: [{ ...first.body.inputs[0]!, set: 2 }] }), second, third],
      [changed({ limits: { ...first.body.limits, residual: false } }), second, third],
    ];
    await expect(open(good)).resolves.toBeDefined();
    for (const receipts of wrong)
      await expect(open(receipts)).rejects.toMatchObject({ code: 'receipt_mismatch' });
  });
});
