import { problems } from '@glacis/http';
import type { Audit } from '@glacis/identity';
import { privateKeyPem } from '@glacis/pki';
import type { Clock } from '@glacis/runtime';
import type { Store, Tx } from '@glacis/store';
import type { CertificateRow } from '../certificates/certificate.entity.js';
import type { CertificateFiles } from '../certificates/certificate-files.js';
import { findCertificate } from '../certificates/certificates.store.js';
import type { KeySafe } from '../keys/key-safe.js';
import { endAfterDownload } from '../keys/retention.js';
import { downloadTokenInvalid } from '../problems.js';
import type { CertificatesSettings } from '../settings.js';
import { caSubject, type DownloadTokens } from './download-tokens.js';

export interface DownloadsParts {
  settings: CertificatesSettings;
  store: Store;
  tokens: DownloadTokens;
  files: CertificateFiles;
  safe: KeySafe;
  audit: Audit;
  clock: Clock;
}

/** The files of one certificate, in PEM. */
export interface Bundle {
  ca: string;
  /** Of `ca`, the roots alone. */
  roots: string;
  cert: string;
  /** Null: issued from a CSR, or the key was erased. */
  key: string | null;
  /** Serial of the certificate that follows this one. */
  successor: string | null;
  /** To be called once the body went out whole. */
  delivered(): Promise<void>;
}

/** Gives out the files of certificates against one-use tokens. */
export class Downloads {
  constructor(private readonly parts: DownloadsParts) {}

  /** @throws Problem `not-found` */
  async token(tenant: string, serial: string, createdBy: string): Promise<string> {
    const { store, tokens } = this.parts;
    const row = await findCertificate(store, serial);
    if (row === undefined || row.tenant_id !== tenant) throw problems.notFound();
    return tokens.issue(store, serial, createdBy);
  }

  /** A token for the CA's own certificates. */
  caToken(createdBy: string): Promise<string> {
    return this.parts.tokens.issue(this.parts.store, caSubject, createdBy);
  }

  /** @throws Problem `download-token-invalid` */
  async bundle(serial: string, token: string): Promise<Bundle> {
    const row = await this.parts.store.transaction((tx) => this.redeem(tx, serial, token));
    const { files, safe } = this.parts;
    const key = row.key_id === null ? null : await safe.openKey(row.key_id);
    return {
      ca: files.caPem(),
      roots: files.rootsPem(),
      cert: files.certPem(row),
      key: key === null ? null : privateKeyPem(key),
      successor: row.renewed_to,
      delivered: async () => {
        if (key !== null) await this.keyWentOut(row);
      },
    };
  }

  /**
   * The serial that a token opens, for clients that name the entity of the certificate.
   * @throws Problem `download-token-invalid`, also when it is another entity's
   */
  async serialFor(entityId: string, token: string): Promise<string> {
    const { store, tokens } = this.parts;
    const serial = await tokens.subjectOf(token);
    const row = serial === caSubject ? undefined : await findCertificate(store, serial);
    if (row?.entity_id !== entityId) throw downloadTokenInvalid();
    return serial;
  }

  /** @throws Problem `download-token-invalid` */
  async ca(token: string): Promise<string> {
    await this.parts.tokens.redeem(this.parts.store, caSubject, token);
    return this.parts.files.caPem();
  }

  private async redeem(tx: Tx, serial: string, token: string): Promise<CertificateRow> {
    const actor = await this.parts.tokens.redeem(tx, serial, token);
    const row = await findCertificate(tx, serial);
    if (row === undefined) throw downloadTokenInvalid();
    await this.parts.audit.record(tx, {
      actor,
      tenant: row.tenant_id,
      action: 'certificate.download',
      subject: serial,
    });
    return row;
  }

  private async keyWentOut(row: CertificateRow): Promise<void> {
    if (row.key_id === null) return;
    const { store, settings, clock } = this.parts;
    await endAfterDownload(store, settings.keyRetention, row.key_id, clock.now());
  }
}
