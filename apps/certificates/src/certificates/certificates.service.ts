import { isIP } from 'node:net';
import { problems } from '@glacis/http';
import type { Clock } from '@glacis/runtime';
import type { Store } from '@glacis/store';
import { reasonName } from '../revocation/reasons.js';
import { expiryOf, shortTime, statusOf, type CertificateRow } from './certificate.entity.js';
import type { CertificateFiles } from './certificate-files.js';
import {
  findCertificate,
  hasKey,
  listCertificates,
  type CertificateFilter,
  type ListedCertificate,
} from './certificates.store.js';

interface ListItem {
  SerialNumber: string;
  Certificate: null;
  Key: null;
  Revoked: boolean;
  ExpiryDate: string;
  EntityType: '';
  EntityID: string;
  DownloadUrl: '';
}

/** A page in the order and spelling that older clients decode (`certificates.md` 2.3). */
export interface CertificateList {
  certificates: ListItem[];
  total: number;
  offset?: number;
  limit: number;
  entity_id?: string;
}

export interface CertificateView {
  serial_number: string;
  certificate: string;
  revoked: boolean;
  expiry_time: string;
  entity_id: string;
  entity_type: string;
  status: 'valid' | 'revoked' | 'expired';
  issued_at: string;
  not_before: string;
  not_after: string;
  revoked_at?: string;
  revocation_reason?: string;
  issuer_id: string;
  key_algorithm: string;
  fingerprint_sha256: string;
  ip_addresses: string[];
  dns_names: string[];
  renewed_from?: string;
  renewed_to?: string;
  has_key: boolean;
}

export interface CertificatesParts {
  store: Store;
  files: CertificateFiles;
  clock: Clock;
}

/** What a tenant sees of its certificates. */
export class Certificates {
  constructor(private readonly parts: CertificatesParts) {}

  async list(
    filter: CertificateFilter,
    page: { offset: number; limit: number },
  ): Promise<CertificateList> {
    const { store, clock } = this.parts;
    const { rows, total } = await listCertificates(store, filter, { now: clock.now(), ...page });
    return {
      certificates: rows.map(listItem),
      total,
      ...(page.offset === 0 ? {} : { offset: page.offset }),
      limit: page.limit,
      ...(filter.entityId === undefined ? {} : { entity_id: filter.entityId }),
    };
  }

  /** @throws Problem `not-found` */
  async find(tenant: string, serial: string): Promise<CertificateRow> {
    const row = await findCertificate(this.parts.store, serial);
    if (row === undefined || row.tenant_id !== tenant) throw problems.notFound();
    return row;
  }

  /** @throws Problem `not-found` */
  async view(tenant: string, serial: string): Promise<CertificateView> {
    const row = await this.find(tenant, serial);
    const { store, clock, files } = this.parts;
    const now = clock.now();
    return {
      serial_number: row.serial,
      certificate: files.certPem(row),
      revoked: row.status === 'revoked',
      expiry_time: expiryOf(row),
      entity_id: row.entity_id,
      entity_type: row.entity_type,
      status: statusOf(row, now),
      issued_at: shortTime(row.issued_at),
      not_before: shortTime(row.not_before),
      not_after: shortTime(row.not_after),
      revoked_at: row.revoked_at === null ? undefined : shortTime(row.revoked_at),
      revocation_reason:
        row.revocation_reason === null ? undefined : reasonName(row.revocation_reason),
      issuer_id: row.issuer_id,
      key_algorithm: row.key_algorithm,
      fingerprint_sha256: row.fingerprint_sha256.toString('hex'),
      ip_addresses: row.names.filter((name) => isIP(name) !== 0),
      dns_names: row.names.filter((name) => isIP(name) === 0),
      renewed_from: row.renewed_from ?? undefined,
      renewed_to: row.renewed_to ?? undefined,
      has_key: await hasKey(store, row.key_id, now),
    };
  }
}

const listItem = (row: ListedCertificate): ListItem => ({
  SerialNumber: row.serial,
  Certificate: null,
  Key: null,
  Revoked: row.status === 'revoked',
  ExpiryDate: expiryOf(row),
  EntityType: '',
  EntityID: row.entity_id,
  DownloadUrl: '',
});
