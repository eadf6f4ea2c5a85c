export { GraphAppsModule } from './graph-apps.module.js';
export { graphAppsMigrations } from './migrations.js';
export { graphAppsSettings, type GraphAppsSettings } from './settings.js';
