export { backendsSettings, type BackendsSettings } from './settings.js';
