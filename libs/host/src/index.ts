export * from './bare.js';
export { HostModule, type Host } from './host.module.js';
export { openProgram, type Program, type ProgramOptions } from './program.js';
export { runService, type ServiceOptions } from './run-service.js';
export { makeHost, serviceProgramSettings, type ServiceProgramSettings } from './settings.js';
