import { createHash } from 'node:crypto';
import { Problem, type Visitor } from '@glacis/http';
import type { Csr } from '@glacis/pki';
import type { Clock } from '@glacis/runtime';
import type { Queryable, Store, Tx } from '@glacis/store';
import { findCertificate } from '../certificates/certificates.store.js';
import type { CsrReader } from '../issuing/csr-reader.js';
import { wantedByCsr, type RejectedCsr, type WantedByCsr } from '../issuing/csr-request.js';
import type { IssueWriter } from '../issuing/issue-writer.js';
import type { ApprovedIssue, Issuing } from '../issuing/issuing.service.js';
import { enrolmentTokenInvalid } from '../problems.js';
import { shareRevocations } from '../revocation/revocation.store.js';
import {
  findReceipt,
  findToken,
  insertReceipt,
  takeToken,
  type Receipt,
  type TokenGrant,
} from './enrolment-tokens.store.js';
import { tokenHash } from './enrolment-tokens.js';
import { hostCaller } from './host-caller.js';
import { tokenFits } from './token-fits.js';

export interface EnrolmentParts {
  store: Store;
  csrs: CsrReader;
  issuing: Issuing;
  writer: IssueWriter;
  clock: Clock;
}

export interface EnrolmentRequest {
  visitor: Visitor;
  /** Of the path, where it names one. */
  tenant: string | undefined;
  backendId: string;
  token: string;
  /** PKCS#10, as `wantedByCsr` reads it. */
  csr: string;
}

/** A host gets its first certificate by a token, used once (`certificates.md` 3.3). */
export class Enrolment {
  constructor(private readonly parts: EnrolmentParts) {}

  /**
   * The certificate in DER. The same token with the same key gets the same one again, as a reply may have been lost.
   * @throws Problem `enrolment-token-invalid`, `malformed`, `csr-rejected`, or of the name rules; the token stays good
   */
  async enrol(request: EnrolmentRequest): Promise<Buffer> {
    const { store, csrs, clock } = this.parts;
    const sha256 = tokenHash(request.token);
    // In this order: a token that is used up in between has left its receipt.
    const token = await findToken(store, sha256);
    const receipt = token ? undefined : await findReceipt(store, sha256);
    const grant = token ?? receipt;
    const use = { ...request, address: request.visitor.address };
    if (grant === undefined || !tokenFits(grant, use, clock.now())) throw refused();
    const wanted = await wantedByCsr(csrs, request.csr);
    if (receipt) return this.again(store, receipt, keyOf(wanted));
    const approved = await this.approve(request.visitor, grant, wanted).catch(entityGone);
    return store.transaction((tx) => this.use(tx, sha256, { grant, approved })).catch(entityGone);
  }

  private approve(
    visitor: Visitor,
    grant: TokenGrant,
    wanted: WantedByCsr | RejectedCsr,
  ): Promise<ApprovedIssue> {
    const { tenant, backendId: entityId, expiresAt: until } = grant;
    const target = { entityType: 'backend', entityId } as const;
    const caller = hostCaller(visitor, { tenant, ...target, until });
    return this.parts.issuing.approveCsr(caller, {
      target,
      wanted,
      ttlMs: undefined,
      profile: undefined,
      source: 'est',
    });
  }

  private async use(
    tx: Tx,
    sha256: Buffer,
    { grant, approved }: { grant: TokenGrant; approved: ApprovedIssue },
  ): Promise<Buffer> {
    const { issuing, writer, clock } = this.parts;
    const { spki } = approved.order;
    await shareRevocations(tx);
    if (!(await takeToken(tx, sha256, clock.now()))) {
      return this.again(tx, await findReceipt(tx, sha256), spki);
    }
    const leaf = await issuing.write(writer.inside(tx), approved);
    const { serial } = leaf.row;
    await insertReceipt(tx, sha256, { ...grant, spkiSha256: hashOf(spki), serial });
    return leaf.der;
  }

  private async again(db: Queryable, receipt: Receipt | undefined, spki: Buffer): Promise<Buffer> {
    if (!receipt?.spkiSha256.equals(hashOf(spki))) throw refused();
    const row = await findCertificate(db, receipt.serial);
    if (row === undefined) throw refused();
    return row.der;
  }
}

const refused = (): Problem =>
  enrolmentTokenInvalid(undefined, { headers: { 'www-authenticate': 'Basic realm="enrolment"' } });

const hashOf = (spki: Buffer): Buffer => createHash('sha256').update(spki).digest();

function keyOf(wanted: { csr: Csr } | RejectedCsr): Buffer {
  if ('rejection' in wanted) throw wanted.rejection;
  return wanted.csr.spki;
}

/** The backend was deleted after the token was made: the token is good for nothing any more. */
function entityGone(error: unknown): never {
  throw error instanceof Problem && error.slug === 'not-found' ? refused() : error;
}
