import { problems, type Visitor } from '@glacis/http';
import { TokenVerifier } from '@glacis/identity';
import { Inject, Injectable } from '@nestjs/common';
import { decodeJwt } from 'jose';
import type { Job } from '../jobs/job.entity.js';
import { JOBS_AUDIENCE, JobTokens, type JobTokenHolder } from './job-tokens.js';

/** Somebody with a token of the platform: an analyst, and perhaps an administrator of its tenant. */
export interface Member {
  kind: 'member';
  subject: string;
  tenant: string;
  admin: boolean;
}

/** Somebody with a token of this service. */
export interface Holder extends JobTokenHolder {
  kind: 'holder';
}

/** Who calls; `nobody` has no token. */
export type Who = { kind: 'nobody' } | Member | Holder;

export interface JobsCaller {
  who: Who;
  requestId: string;
  traceparent: string;
  address: string;
}

/** What somebody is to a job. */
export type JobRole = 'analyst' | 'owner' | 'admin';

/** Tells callers by their tokens, those of the platform and our own. */
@Injectable()
export class Callers {
  constructor(
    @Inject(TokenVerifier) private readonly platform: TokenVerifier,
    @Inject(JobTokens) private readonly own: JobTokens,
  ) {}

  /** @throws {Problem} 401 for a token that is not good, 403 for one of the platform without tenant */
  async identify(visitor: Visitor, authorization: string | undefined): Promise<JobsCaller> {
    const { requestId, traceparent, address } = visitor;
    return { who: await this.whoIs(authorization), requestId, traceparent, address };
  }

  private async whoIs(authorization: string | undefined): Promise<Who> {
    if (authorization === undefined) return { kind: 'nobody' };
    const [, token = ''] = /^bearer +(\S{1,8192})$/i.exec(authorization) ?? [];
    if (claimsToBeOurs(token)) {
      const holder = await this.own.verify(token);
      if (holder === undefined) throw problems.unauthenticated('the token is not valid');
      return { kind: 'holder', ...holder };
    }
    const { subject, tenant, roles } = await this.platform.verify(authorization);
    if (tenant === null) throw problems.forbidden('the token names no tenant');
    return { kind: 'member', subject, tenant, admin: roles.includes('admin') };
  }
}

/** Not trusted by this: it picks who checks the token. */
function claimsToBeOurs(token: string): boolean {
  try {
    return decodeJwt(token).iss === JOBS_AUDIENCE;
  } catch {
    return false;
  }
}

/** Undefined: the job is none of theirs, so to them it is unknown. */
export function roleOf(who: Who, job: Pick<Job, 'id' | 'tenant' | 'analyst'>): JobRole | undefined {
  if (who.kind === 'holder') return who.job === job.id ? who.role : undefined;
  if (who.kind === 'nobody' || who.tenant !== job.tenant) return undefined;
  if (who.subject === job.analyst) return 'analyst';
  return who.admin ? 'admin' : undefined;
}

/** The actor of a row in the trail. */
export function actorOf({ who }: JobsCaller): string {
  if (who.kind === 'nobody') return 'anonymous';
  if (who.kind === 'member') return who.subject;
  return who.role === 'owner' ? `owner ${who.owner}` : `analyst of ${who.job}`;
}
