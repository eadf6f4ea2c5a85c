import { createHash } from 'node:crypto';

export interface SpiffeSubject {
  trustDomain: string;
  tenant: string;
  entityType: string;
  entityId: string;
}

/** The URI that names the entity of a leaf (`certificates.md` 5.1). A tenant that does not fit a path is its UUID of version 5. */
export function spiffeUri({ trustDomain, tenant, entityType, entityId }: SpiffeSubject): string {
  const segment = /^[a-zA-Z0-9._-]+$/.test(tenant) ? tenant : nameUuid(tenant);
  return `spiffe://${trustDomain}/tenant/${segment}/${entityType}/${entityId}`;
}

/** The URL namespace of RFC 9562 6.6. */
const urlNamespace = Buffer.from('6ba7b8119dad11d180b400c04fd430c8', 'hex');

/** UUID of version 5 (RFC 9562 5.5) of a text. */
function nameUuid(text: string): string {
  const hash = createHash('sha1').update(urlNamespace).update(text).digest().subarray(0, 16);
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
