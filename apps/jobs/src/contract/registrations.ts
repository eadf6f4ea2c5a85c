import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import { policyText } from '@glacis/shares';
import type { Tx } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';
import type { JobsCaller } from '../access/callers.js';
import { JobTokens } from '../access/job-tokens.js';
import { MODE, type Mode } from '../access/mode.js';
import type { Job } from '../jobs/job.entity.js';
import { JobsStore } from '../jobs/jobs.store.js';
import { Journal } from '../jobs/journal.js';
import type { Owner, UploadSet } from '../owners/owner.entity.js';
import { OwnersStore } from '../owners/owners.store.js';
import { checkSignature, policyDocumentOf } from '../owners/signed-policies.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { conflict, jobNotFound, refusals } from './contract-error.js';
import type { RegisterRequest } from './register-body.js';

const hourMs = 3_600_000;
const notCreated = 'The job has been submitted. Cannot register to a submitted job.';

/** Which table of which job somebody registers for. */
export interface Wanted {
  jobId: string;
  table: string;
  request: RegisterRequest;
}

/** What a registration has come to. */
export interface Registration {
  job: Job;
  owner: Owner;
  set: UploadSet;
  /** Only in mode `open`, for a name that is new. */
  token?: string;
}

/** Records registrations, one at a time for each job. */
@Injectable()
export class Registrations {
  constructor(
    @Inject(JobsStore) private readonly jobs: JobsStore,
    @Inject(OwnersStore) private readonly owners: OwnersStore,
    @Inject(JobTokens) private readonly tokens: JobTokens,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(MODE) private readonly mode: Mode,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  /** @throws {ContractError} in the order of `jobs.md` 2.3 */
  async record(tx: Tx, caller: JobsCaller, wanted: Wanted): Promise<Registration> {
    const { request } = wanted;
    const job = await this.jobs.lock(tx, wanted.jobId);
    if (job === undefined) throw jobNotFound(request.jobId);
    if (job.state !== 'created') throw conflict(notCreated, job.id);
    const known = await this.owners.find(job.id, request.owner, tx);
    await checkRequest(job, known, request);
    const owner = known ?? (await this.bind(tx, job, request));
    const set = await this.openSet(tx, owner, wanted);
    await this.owners.register(tx, owner);
    if (request.signature !== null) await this.keepPolicy(tx, caller, { job, request });
    await this.tell(tx, caller, { job, owner, set });
    const token = known ? undefined : await this.tokenOf(tx, job, owner);
    return { job, owner, set, token };
  }

  private bind(tx: Tx, { id }: Job, { owner, ownerKey }: RegisterRequest): Promise<Owner> {
    return this.owners.bind(tx, { job: id, name: owner, key: ownerKey, claimedAt: null });
  }

  /** The newest set under `resume`, else a new one. */
  private async openSet(tx: Tx, owner: Owner, { table, request }: Wanted): Promise<UploadSet> {
    const { uploadSets, urlsPerHour, urlsTtlSeconds } = this.settings;
    const { job, name } = owner;
    if ((await this.owners.mint(tx, owner, hourMs)) > urlsPerHour) throw refusals.tooMany();
    const expiresAt = new Date(this.clock.now().getTime() + urlsTtlSeconds * 1000);
    const sets = request.resume ? await this.owners.sets(job, name, tx) : [];
    const newest = sets.findLast((set) => set.tableName === table);
    const { files } = request;
    if (newest) return this.owners.extendSet(tx, newest, { expiresAt, files });
    if ((await this.owners.countSets(tx, job, name)) >= uploadSets) throw refusals.tooMany();
    return this.owners.addSet(tx, { job, owner: name, tableName: table, files, expiresAt });
  }

  private async keepPolicy(
    tx: Tx,
    caller: JobsCaller,
    { job, request }: { job: Job; request: RegisterRequest },
  ): Promise<void> {
    const { owner, policy, consentRawRows, issuedAt, signature } = request;
    const document = policyDocumentOf(job, request);
    const { table } = document;
    await this.owners.addPolicy(tx, {
      job: job.id,
      owner,
      tableName: table,
      policy,
      consentRawRows,
      issuedAt: issuedAt ?? '',
      signedText: policyText(document),
      signature: signature ?? '',
    });
    const detail = { owner, table, policy, consent_raw_rows: consentRawRows };
    await this.journal.note(tx, caller, job, { action: 'policy.sign', detail });
  }

  private async tell(tx: Tx, caller: JobsCaller, { job, owner, set }: Registration): Promise<void> {
    const { number, tableName: table } = set;
    const parties = [...job.placement.keys()];
    await this.journal.ofOwner(tx, job, owner.name, {
      change: 'registered',
      table,
      upload_set: number,
    });
    const detail = { owner: owner.name, set: number, parties };
    await this.journal.note(tx, caller, job, { action: 'urls.mint', detail });
  }

  private async tokenOf(tx: Tx, { id, tenant }: Job, { name }: Owner): Promise<string | undefined> {
    if (!this.mode.open) return undefined;
    const holder = { role: 'owner', job: id, tenant, owner: name } as const;
    return (await this.tokens.issue(tx, holder)).token;
  }
}

/** @throws {ContractError} */
async function checkRequest(
  job: Job,
  known: Owner | undefined,
  request: RegisterRequest,
): Promise<void> {
  if (known !== undefined && known.key !== request.ownerKey)
    throw conflict('Owner key does not match', job.id, 'owner_key_mismatch');
  if (request.expectQueryHash !== null && request.expectQueryHash !== job.queryHash)
    throw conflict('Query has changed', job.id, 'query_changed');
  if (request.signature !== null) await checkSignature(job, request);
}
