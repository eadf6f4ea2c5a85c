import { eventsMigrations } from '@glacis/events';
import { auditMigrations } from '@glacis/identity';
import type { MigrationClass } from '@glacis/store';
import { createNodeConfigs } from './store/postgres/node-configs.migrations.js';
import { createApps } from './store/postgres/apps.migrations.js';

/** The whole schema `graph-apps`. */
export const graphAppsMigrations: MigrationClass[] = [
  createApps,
  createNodeConfigs,
  ...eventsMigrations,
  ...auditMigrations,
];
