import { createHash, X509Certificate } from 'node:crypto';
import type { EnrolReply, EnrolRequest } from '@glacis/contracts';
import { problems } from '@glacis/http';
import { Audit } from '@glacis/identity';
import { CsrError, fromPem, readCertificate } from '@glacis/pki';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import type { Agent } from './agent.entity.js';
import { agentOfToken, setEnrolled, useToken } from './agents.store.js';
import { Bells } from './bells.js';
import { PartyCertificates, type PartyCertificate } from './party-certificates.js';
import { tokenUsed } from './problems.js';

/** Certificates end an hour after the longest run (jobs.md 11.10). */
const lifeMs = 86_400_000 + 3_600_000;

export const sha256Of = (data: Buffer | string): Buffer =>
  createHash('sha256').update(data).digest();

/** The first call of an agent: its one-time token for a certificate (jobs.md 10.2). */
@Injectable()
export class Enrolment {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(PartyCertificates) private readonly certificates: PartyCertificates,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Bells) private readonly bells: Bells,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws Problem 401 for a token that does not count, 409 for one that was used, 400 for a CSR that does not hold */
  async enrol(request: EnrolRequest): Promise<EnrolReply> {
    const agent = await this.claim(request.token);
    const issued = await this.issue(agent, request.csr);
    const [leaf] = fromPem(issued.chain.join(''));
    if (leaf === undefined) throw new Error('the issuer gave no certificate');
    const { uris, notAfter } = readCertificate(leaf.der);
    const [uri] = uris;
    if (uri === undefined) throw new Error('the issuer named no party');
    await this.store.transaction(async (tx) => {
      await setEnrolled(tx, {
        id: agent.id,
        certificateSha256: sha256Of(leaf.der),
        certificateUntil: notAfter,
        uri,
        macKey: request.mac_key,
        now: this.clock.now(),
      });
      await this.audit.record(tx, {
        actor: `party ${agent.id}`,
        tenant: agent.tenant,
        action: 'job.agent.enrol',
        subject: agent.jobId,
        detail: { party: agent.party, attempt: agent.attempt },
      });
      tx.afterCommit(() => this.bells.ring(agent.jobId));
    });
    const { id, jobId, attempt, party } = agent;
    return { agent_id: id, job_id: jobId, attempt, party, uri, ...issued };
  }

  /** The token is used up first: whatever fails later, nobody enrols by it again. */
  private async claim(token: string): Promise<Agent> {
    const now = this.clock.now();
    const agent = await agentOfToken(this.store, sha256Of(token), now);
    if (agent === undefined) throw problems.unauthenticated('the token is unknown');
    if (agent.enrolledAt !== null) throw tokenUsed();
    if (agent.expired) throw problems.unauthenticated('the token has expired');
    if (!(await useToken(this.store, agent.id, now))) throw tokenUsed();
    return agent;
  }

  private async issue({ id, jobId, tenant }: Agent, csr: string): Promise<PartyCertificate> {
    const notAfter = new Date(this.clock.now().getTime() + lifeMs);
    try {
      return await this.certificates.issue({ jobId, tenant, entityId: id, csr, notAfter });
    } catch (cause) {
      if (cause instanceof CsrError) throw problems.malformed(cause.message, { cause });
      throw cause;
    }
  }
}

/** By which a certificate that a client has shown is looked up. */
export function fingerprintOf({ raw }: X509Certificate): Buffer {
  return sha256Of(raw);
}
