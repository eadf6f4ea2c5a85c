export * from './types.js';
export { parseDurationMs, parseSizeBytes } from './units.js';
export {
  defineSettings,
  named,
  secret,
  setting,
  type Setting,
  type SettingsDefinition,
  type Shape,
  type Values,
} from './definition.js';
export { loadSettings, SettingsError, type BadSetting, type LoadOptions } from './load.js';
export { dumpSettings, settingsTable } from './show.js';
