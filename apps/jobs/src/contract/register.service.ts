import { Audit } from '@glacis/identity';
import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import { Store, type Tx } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { actorOf, type JobsCaller } from '../access/callers.js';
import { JobTokens } from '../access/job-tokens.js';
import { MODE, type Mode } from '../access/mode.js';
import type { Job } from '../jobs/job.entity.js';
import { JobEvents } from '../jobs/job-events.js';
import { JobsStore } from '../jobs/jobs.store.js';
import type { Owner, UploadSet } from '../owners/owner.entity.js';
import { OwnersStore } from '../owners/owners.store.js';
import { checkSignature, policyDocumentOf } from '../owners/signed-policies.js';
import { UploadLinks } from '../owners/upload-links.js';
import { headerOf, isHashed, tablesOf } from '../plan/tables.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { conflict, invalidFields, jobNotFound, missingFields, refusals } from './contract-error.js';
import type { ContractReply } from './contract-reply.js';
import { KnownJob } from './known-job.js';
import { checkColumns, readRegister, type RegisterRequest } from './register-body.js';

const hourMs = 3_600_000;
const notCreated = 'The job has been submitted. Cannot register to a submitted job.';

/** What a registration has come to. */
interface Registration {
  job: Job;
  owner: Owner;
  set: UploadSet;
  /** Only in mode `open`, for a name that is new. */
  token?: string;
}

@Injectable()
export class RegisterOwner {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(JobsStore) private readonly jobs: JobsStore,
    @Inject(KnownJob) private readonly known: KnownJob,
    @Inject(OwnersStore) private readonly owners: OwnersStore,
    @Inject(UploadLinks) private readonly links: UploadLinks,
    @Inject(JobTokens) private readonly tokens: JobTokens,
    @Inject(JobEvents) private readonly events: JobEvents,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(MODE) private readonly mode: Mode,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  /** `jobs.md` 2.3, in its order. @throws {ContractError} */
  async register(caller: JobsCaller, body: Record<string, unknown>): Promise<ContractReply> {
    const request = readRegister(body, this.settings);
    const job = await this.known.find(request.jobId, caller, 'owner', 'analyst', 'admin');
    const { who } = caller;
    if (who.kind === 'holder' && who.owner !== request.owner) throw refusals.forbidden();
    const table = tableOf(job, request);
    const made = await this.store.transaction((tx) =>
      this.record(tx, caller, { job, request, table }),
    );
    return this.replyTo(made, request, table);
  }

  private async record(
    tx: Tx,
    caller: JobsCaller,
    wanted: { job: Job; request: RegisterRequest; table: string },
  ): Promise<Registration> {
    const { request, table } = wanted;
    const job = await this.jobs.lock(tx, wanted.job.id);
    if (job === undefined) throw jobNotFound(request.jobId);
    if (job.state !== 'created') throw conflict(notCreated, job.id);
    const known = await this.owners.find(job.id, request.owner, tx);
    await checkRequest(job, known, request);
    const owner = known ?? (await this.bind(tx, job, request));
    const set = await this.openSet(tx, { job, owner, request, table });
    await this.owners.register(tx, owner);
    if (request.signature !== null) await this.keepPolicy(tx, caller, { job, request });
    await this.tell(tx, caller, { job, owner, set });
    const holder = { role: 'owner', job: job.id, tenant: job.tenant, owner: owner.name } as const;
    const isNew = known === undefined && this.mode.open;
    return {
      job,
      owner,
      set,
      token: isNew ? (await this.tokens.issue(tx, holder)).token : undefined,
    };
  }

  private bind(tx: Tx, { id }: Job, { owner, ownerKey }: RegisterRequest): Promise<Owner> {
    return this.owners.bind(tx, { job: id, name: owner, key: ownerKey, claimedAt: null });
  }

  /** The newest set under `resume`, else a new one. */
  private async openSet(
    tx: Tx,
    {
      job,
      owner,
      request,
      table,
    }: { job: Job; owner: Owner; request: RegisterRequest; table: string },
  ): Promise<UploadSet> {
    const { uploadSets, urlsPerHour, urlsTtlSeconds } = this.settings;
    const mints = await this.owners.mint(tx, owner, hourMs);
    if (mints > urlsPerHour) throw refusals.tooMany();
    const expiresAt = new Date(this.clock.now().getTime() + urlsTtlSeconds * 1000);
    const sets = request.resume ? await this.owners.sets(job.id, owner.name, tx) : [];
    const newest = sets.findLast((set) => set.tableName === table);
    if (newest) {
      await this.owners.extendSet(tx, newest, expiresAt);
      return { ...newest, expiresAt };
    }
    if ((await this.owners.countSets(tx, job.id, owner.name)) >= uploadSets)
      throw refusals.tooMany();
    const { files } = request;
    return this.owners.addSet(tx, {
      job: job.id,
      owner: owner.name,
      tableName: table,
      files,
      expiresAt,
    });
  }

  private async keepPolicy(
    tx: Tx,
    caller: JobsCaller,
    { job, request }: { job: Job; request: RegisterRequest },
  ): Promise<void> {
    const { owner, policy, consentRawRows, issuedAt, signature } = request;
    const document = policyDocumentOf(job, request);
    await this.owners.addPolicy(tx, {
      job: job.id,
      owner,
      tableName: document.table,
      policy,
      consentRawRows,
      issuedAt: issuedAt ?? '',
      document: JSON.stringify(document),
      signature: signature ?? '',
    });
    await this.record1(tx, caller, job, 'policy.sign', { owner, table: document.table, policy });
  }

  private async tell(tx: Tx, caller: JobsCaller, { job, owner, set }: Registration): Promise<void> {
    const { name } = owner;
    const data = { data_owner: name, table: set.tableName, upload_set: set.number };
    await this.events.add(tx, job.id, 'owner', { change: 'registered', ...data }, { owner: name });
    const parties = job.placement.map((_, party) => party);
    await this.record1(tx, caller, job, 'urls.mint', { owner: name, set: set.number, parties });
  }

  private record1(
    tx: Tx,
    caller: JobsCaller,
    { id, tenant }: Job,
    action: string,
    detail: Record<string, unknown>,
  ): Promise<void> {
    const { requestId } = caller;
    return this.audit.record(tx, {
      actor: actorOf(caller),
      tenant,
      action,
      subject: id,
      requestId,
      detail,
    });
  }

  private async replyTo(
    { job, set, owner, token }: Registration,
    { resume, consentRawRows, signature }: RegisterRequest,
    table: string,
  ): Promise<ContractReply> {
    const { plain, uploads } = await this.links.of(job, owner, { set, resume });
    const columns = tablesOf(job.schema).get(table) ?? {};
    const warnings =
      consentRawRows && signature === null
        ? [
            {
              code: 'consent_not_signed',
              message: 'consent_raw_rows counts only when it is signed',
            },
          ]
        : [];
    return {
      contract: { presigned_urls: plain, job_id: job.id },
      extension: {
        upload_set: set.number,
        expires_at: set.expiresAt.toISOString(),
        share_header: headerOf(job, table, columns),
        query_hash: job.queryHash,
        uploads,
        schema_hash: job.schemaHash,
        limits: job.limits,
        policy_needed: job.policyNeeded,
        ...(isHashed(columns) && { salt: job.salt.toString('base64url') }),
        ...(warnings.length > 0 && { warnings }),
        ...(token !== undefined && { owner_token: token }),
      },
    };
  }
}

/** @throws {ContractError} where a job of two tables does not say which one, or the policy names other columns */
function tableOf({ schema }: Job, { table, files, policy }: RegisterRequest): string {
  const tables = tablesOf(schema);
  const [only] = tables.size === 1 ? tables.keys() : [];
  if (only === undefined && table === null) throw missingFields(['table']);
  const name = only ?? table ?? '';
  const columns = tables.get(name);
  if (columns === undefined)
    throw invalidFields([
      { member: 'table', field: 'table', code: 'unknown_table', message: 'no such table' },
    ]);
  checkColumns(policy, Object.keys(columns));
  return name;
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
