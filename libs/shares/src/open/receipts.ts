import { fromBase64url, hex, sha256, utf8 } from '../crypto/bytes.js';
import { canonicalJson, type Json } from '../sign/canonical.js';
import type { SignedLimits } from '../sign/policy.js';
import { readCertificate, verifyChain, type Certificate } from './certificates.js';
import { OpenError } from './open-error.js';

/** What the agent of one party signed over (jobs.md 3.1). */
export interface ReceiptBody {
  attempt: number;
  /** Digest of the engine bundle. */
  engine: string;
  inputs: { owner: string; set: number; sha256: string; table: string | null }[];
  job_id: string;
  limits: SignedLimits;
  party: number;
  plan_hash: string;
  policies: { owner: string; sha256: string }[];
  query_hash: string;
  /** Of the result file before sealing. */
  result_sha256: string;
  /** Rows of the result file. */
  slots: number;
}

export interface Receipt {
  party: number;
  /** `ES256` signatures are r ‖ s. */
  alg: 'Ed25519' | 'ES256';
  /** PEM, own certificate first. */
  chain: readonly string[];
  body: ReceiptBody;
  /** base64url */
  signature: string;
}

/** What the reader of a result knows by itself. */
export interface Expected {
  jobId: string;
  /** `sha256:` and the digest of the query text that was asked. */
  queryHash: string;
  /** PEM of the CAs that every chain must end in; without them a chain is only checked in itself. */
  authorities?: readonly string[];
}

const mismatch = (message: string, party?: number): OpenError =>
  new OpenError('receipt_mismatch', message, party === undefined ? {} : { parties: [party] });

/** The text that an agent signs. */
export const receiptText = (body: ReceiptBody): string =>
  `glacis-receipt-1\n${canonicalJson(body as unknown as Json)}`;

/**
 * Checks that every party signed for the file that it gave, for this query, and that all ran the same thing.
 * @throws OpenError
 */
export async function checkReceipts(
  receipts: readonly Receipt[],
  files: readonly Uint8Array[],
  expected: Expected & { slots?: number },
): Promise<void> {
  const inOrder = files.map((_, party) => receipts.filter((receipt) => receipt.party === party));
  if (receipts.length !== files.length || inOrder.some(({ length }) => length !== 1))
    throw mismatch('there is not one receipt of each party');
  const signers = new Set<string>();
  for (const [party, [receipt]] of inOrder.entries()) {
    const { key } = await verified(receipt, expected.authorities);
    signers.add(hex(key));
    await checkBody(receipt.body, files[party], party, expected);
  }
  if (signers.size < files.length) throw mismatch('one key signed for several parties');
  if (new Set(inOrder.map(([{ body }]) => common(body))).size > 1)
    throw mismatch('the parties signed for different runs');
}

/** Members in which all parties agree. */
function common(body: ReceiptBody): string {
  const inputs = body.inputs.map(({ owner, set, table }) => ({ owner, set, table }));
  const shared = { ...body, inputs, party: undefined, result_sha256: undefined };
  return canonicalJson(shared as unknown as Json);
}

async function checkBody(
  body: ReceiptBody,
  file: Uint8Array,
  party: number,
  { jobId, queryHash, slots }: Expected & { slots?: number },
): Promise<void> {
  const digest = `sha256:${hex(await sha256(file))}`;
  const fits: [boolean, string][] = [
    [body.party === party, 'a receipt is of another party'],
    [body.job_id === jobId, 'a receipt is of another job'],
    [body.query_hash === queryHash, 'a receipt is of another query'],
    [body.result_sha256 === digest, 'a receipt is of another file'],
    [body.slots === slots, 'a receipt is of another number of rows'],
  ];
  for (const [fit, message] of fits) if (!fit) throw mismatch(message, party);
}

/** The certificate of a receipt whose signature and chain hold. */
async function verified(
  { alg, chain, body, signature, party }: Receipt,
  authorities?: readonly string[],
): Promise<Certificate> {
  const bytes = fromBase64url(signature);
  try {
    const certificates = chain.map(readCertificate);
    const [own] = certificates;
    const text = utf8(receiptText(body));
    if (own.algorithm.receipt === alg && bytes && (await own.verifies(text, bytes))) {
      await verifyChain(certificates, authorities?.map(readCertificate));
      return own;
    }
  } catch (error) {
    throw Object.assign(mismatch('a certificate of a receipt does not hold', party), {
      cause: error,
    });
  }
  throw mismatch('the signature of a receipt does not hold', party);
}
