import type { Provider } from '@nestjs/common';
import { BucketReaper } from './bucket-reaper.js';
import { ContentCheck } from './content-check.js';
import { Crews } from './crews.js';
import { Driver } from './driver.js';
import { InstanceReaper } from './instance-reaper.js';
import { PartyKeys } from './party-keys.js';
import { Reaper } from './reaper.js';
import { RunMetrics } from './run-metrics.js';
import { Runs } from './runs.service.js';
import { Starts } from './starts.js';
import { StepJournal } from './step-journal.js';
import { StepWorks } from './step-works.js';
import { Teardown } from './teardown.js';
import { Worker } from './worker.js';

/** How submitted jobs run, and what create and submit need of party agents. */
export const runsProviders: Provider[] = [
  BucketReaper,
  ContentCheck,
  Crews,
  Driver,
  InstanceReaper,
  PartyKeys,
  Reaper,
  RunMetrics,
  Runs,
  Starts,
  StepJournal,
  StepWorks,
  Teardown,
  Worker,
];
