export { graphSettings } from './graphs/settings.js';
export { conversion, podMutation, routeLabel, validation } from './graphs/webhooks/hooks.js';
export { operatorSettings, teeManagerSettings } from './settings.js';
export { teeManagerDefinition } from './tee-managers/tee-manager.crd.js';
