export { suiteSettings, type SuiteSettings } from './settings.js';
export { startSuite, type Suite } from './suite.js';
