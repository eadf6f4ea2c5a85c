import { sign, type KeyObject } from 'node:crypto';
import type { Receipt, ReceiptBody, SignedPolicy } from '@glacis/contracts';
import { policyText, receiptText } from '@glacis/shares';
import { sha256Of } from '../job/digest.js';

/** What a receipt says of the policies: whose, and the digest of what was signed. */
export const policyDigests = (policies: readonly SignedPolicy[]): ReceiptBody['policies'] =>
  policies
    .map(({ document }) => ({
      owner: document.data_owner,
      sha256: sha256Of(policyText(document)),
    }))
    // In whatever order they were told, all parties say the same.
    .toSorted((a, b) => (a.sha256 < b.sha256 ? -1 : 1));

/** Signs what this party did (jobs.md 3.1), with the key of its certificate. */
export function signReceipt(body: ReceiptBody, key: KeyObject, chain: string[]): Receipt {
  const signature = sign(null, Buffer.from(receiptText(body)), key).toString('base64url');
  return { party: body.party, alg: 'Ed25519', chain, body, signature };
}
