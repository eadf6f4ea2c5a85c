import { shortTime } from '../certificates/certificate.entity.js';
import type { SignedLeaf } from './leaf-signer.js';

/** A certificate that was just issued, as POST `/certs/csrs` answers it. */
export function leafJson(leaf: SignedLeaf): Record<string, unknown> {
  return {
    serial_number: leaf.row.serial,
    certificate: leaf.filePem,
    revoked: false,
    expiry_time: shortTime(leaf.notAfter),
    entity_id: leaf.row.entity_id,
  };
}
