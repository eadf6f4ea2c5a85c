export { flowsSettings, livenessSettings } from './settings.js';
