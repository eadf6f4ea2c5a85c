export { listComponents } from './charts.js';
export { editGraph } from './edit.js';
export { listInfra } from './infra.js';
export { links } from './link.js';
export { graphLogs } from './logs.js';
export { describeGraphs, graphStatus, listGraphs } from './show.js';
export { createGraph, deleteGraphs, setDeploy, updateGraph, validateGraph } from './write.js';
