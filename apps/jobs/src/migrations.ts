import { eventsMigrations } from '@glacis/events';
import { idempotencyMigrations } from '@glacis/http';
import { auditMigrations } from '@glacis/identity';
import type { MigrationClass } from '@glacis/store';
import { agentsMigrations } from './agents/agents.migrations.js';
import { runsMigrations } from './runs/runs.migrations.js';
import { createJobs, createOwners } from './jobs/jobs.migrations.js';

/** The whole schema `jobs`. */
export const jobsMigrations: MigrationClass[] = [
  createJobs,
  createOwners,
  ...agentsMigrations,
  ...runsMigrations,
  ...eventsMigrations,
  ...idempotencyMigrations,
  ...auditMigrations,
];
