import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import {
  certificate,
  leafExtensions,
  newSerial,
  spiffeUri,
  toPem,
  type NameAttribute,
  type StatusPointers,
} from '@glacis/pki';
import type { Clock } from '@glacis/runtime';
import type { Authority } from '../authority/authority.js';
import type { SigningCa } from '../authority/issuer.entity.js';
import { backdateMs } from '../authority/make-ca.js';
import type { StatusUrls } from '../authority/status-urls.js';
import type { NewCertificate } from '../certificates/certificates.store.js';
import type { CertificatesSettings } from '../settings.js';
import type { CrlShards } from '../status/crl/crl-shards.js';
import type { Profile } from './profile-rules.js';

/** Everything that makes up a leaf but serial, issuer and times. */
export interface LeafOrder {
  tenant: string;
  entityType: string;
  entityId: string;
  /** Attributes, or the Name in DER of the certificate that is renewed. */
  subject: readonly NameAttribute[] | Buffer;
  spki: Buffer;
  keyAlgorithm: string;
  /** Where the private key is stored, if we have it. */
  keyId: string | null;
  /** In canonical form. */
  names: readonly string[];
  profile: Profile;
  serverAuth: boolean;
  ttlMs: number;
  /** Extensions taken over from a CSR. */
  additional?: readonly Buffer[];
  /** Serial of the certificate that this one follows. */
  renewedFrom?: string;
}

export interface SignedLeaf {
  row: NewCertificate;
  notAfter: Date;
  der: Buffer;
  /** Content of `cert.pem`: leaf and chain. */
  filePem: string;
}

export interface LeafSignerParts {
  settings: CertificatesSettings;
  authority: Authority;
  shards: CrlShards;
  urls: StatusUrls | undefined;
  clock: Clock;
}

const bytea = (bytes: Buffer): string => `\\x${bytes.toString('hex')}`;
const sha256 = (data: Buffer | string): string => bytea(createHash('sha256').update(data).digest());
const sha512 = (data: Buffer | string): string => bytea(createHash('sha512').update(data).digest());

/** Draws a serial, builds the leaf, signs it with the current intermediate. Writes nothing. */
export class LeafSigner {
  constructor(private readonly parts: LeafSignerParts) {}

  /** @throws Problem `ca-unavailable` */
  sign(order: LeafOrder): SignedLeaf {
    const { authority, clock, settings } = this.parts;
    const ca = authority.cas.current();
    const now = clock.now();
    const serial = newSerial();
    const shard = order.profile === 'short' ? null : this.parts.shards.shardOf(ca.id, serial);
    const ttlMs = Math.min(order.ttlMs, settings.maxTtl);
    const end = Math.min(now.getTime() + ttlMs, ca.info.notAfter.getTime());
    const notBefore = wholeSecond(now.getTime() - backdateMs);
    const notAfter = wholeSecond(end);
    const der = certificate({
      serial,
      issuer: ca.issuer,
      subject: order.subject,
      publicKey: order.spki,
      notBefore,
      notAfter,
      extensions: this.extensions(order, ca, shard),
    });
    const leafPem = toPem('CERTIFICATE', der);
    const chain = authority.cas.chainOf(ca);
    const filePem = leafPem + chain.map(({ pem }) => pem).join('');
    const row: NewCertificate = {
      serial: serial.toString(),
      tenant_id: order.tenant,
      entity_type: order.entityType,
      entity_id: order.entityId,
      profile: order.profile,
      issuer_id: ca.id,
      shard: shard?.number ?? null,
      der: bytea(der),
      chain_ids: chain.map(({ id }) => id),
      names: [...order.names],
      spki_sha256: sha256(order.spki),
      fingerprint_sha256: sha256(der),
      not_before: notBefore,
      not_after: notAfter,
      issued_at: now,
      ttl_seconds: String(Math.floor(ttlMs / 1000)),
      key_algorithm: order.keyAlgorithm,
      key_id: order.keyId,
      status: 'valid',
      revoked_at: null,
      revocation_reason: null,
      revocation_seq: null,
      renewed_from: order.renewedFrom ?? null,
      renewed_to: null,
      file_sha256: sha256(filePem),
      file_sha512: sha512(filePem),
      leaf_sha256: sha256(leafPem),
      leaf_sha512: sha512(leafPem),
      row_version: 1,
    };
    return { row, notAfter, der, filePem };
  }

  private extensions(order: LeafOrder, ca: SigningCa, shard: { url: string } | null): Buffer[] {
    const { settings, urls } = this.parts;
    const { profile } = order;
    const pointers: StatusPointers | undefined = urls && {
      ocsp: profile === 'short' ? undefined : urls.ocsp,
      caIssuers: urls.issuer(ca.id),
      crl: shard?.url,
    };
    return leafExtensions({
      issuer: ca.issuer,
      publicKey: order.spki,
      names: {
        uris: [spiffeUri({ trustDomain: settings.trustDomain, ...order })],
        dnsNames: order.names.filter((name) => isIP(name) === 0),
        ipAddresses: order.names.filter((name) => isIP(name) !== 0),
      },
      serverAuth: order.serverAuth || profile === 'svid',
      noRevAvail: profile === 'short',
      pointers,
      additional: order.additional,
    });
  }
}

const wholeSecond = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000);
