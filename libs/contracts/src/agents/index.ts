export * from './common.js';
export * from './enrolment.js';
export * from './instructions.js';
export * from './lookups.js';
export * from './reports.js';
export * from './signed-policy.js';
