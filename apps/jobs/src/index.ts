export { JobsModule } from './jobs.module.js';
export { jobsMigrations } from './migrations.js';
export { jobsSettings, type JobsSettings } from './settings.js';
