export { operatorSettings } from './settings.js';
export { teeManagerDefinition } from './tee-managers/tee-manager.crd.js';
