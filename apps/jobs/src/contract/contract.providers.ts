import type { Provider } from '@nestjs/common';
import { Journal } from '../jobs/journal.js';
import { Quotas } from '../jobs/quotas.js';
import { OwnersStore } from '../owners/owners.store.js';
import { UploadLinks } from '../owners/upload-links.js';
import { ResultLinks } from '../results/result-links.js';
import { Freezer } from '../validation/freezer.js';
import { LostValidations } from '../validation/lost-validations.js';
import { ReportsStore } from '../validation/reports.store.js';
import { Submissions } from '../validation/submissions.js';
import { Validation } from '../validation/validation.service.js';
import { ContractExchange } from './contract-exchange.js';
import { CreateJob } from './create-job.service.js';
import { KnownJob } from './known-job.js';
import { NewJobs } from './new-jobs.js';
import { PartyBuckets } from './party-buckets.js';
import { Readiness } from './readiness.js';
import { RegisterOwner } from './register.service.js';
import { Registrations } from './registrations.js';
import { JobStatus } from './status.service.js';
import { SubmitJob } from './submit.service.js';

/** The contract routes and what they rest on. */
export const contractProviders: Provider[] = [
  ContractExchange,
  CreateJob,
  Freezer,
  JobStatus,
  Journal,
  KnownJob,
  LostValidations,
  NewJobs,
  OwnersStore,
  PartyBuckets,
  Quotas,
  Readiness,
  RegisterOwner,
  Registrations,
  ReportsStore,
  ResultLinks,
  Submissions,
  SubmitJob,
  UploadLinks,
  Validation,
];
