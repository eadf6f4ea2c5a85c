export { graphSettings } from './graphs/settings.js';
export { mutationPresetDefinition } from './graphs/kinds/mutation-preset.crd.js';
export { rampartGraphDefinition } from './graphs/kinds/rampart-graph.crd.js';
export { rampartInfraDefinition } from './graphs/kinds/rampart-infra.crd.js';
export { conversion, podMutation, routeLabel, validation } from './graphs/webhooks/hooks.js';
export { operatorSettings, teeManagerSettings } from './settings.js';
export { teeManagerDefinition } from './tee-managers/tee-manager.crd.js';
