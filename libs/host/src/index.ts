export { version } from './about.js';
export { HostModule, type Host } from './host.module.js';
export { openProgram, type Program, type ProgramOptions } from './program.js';
export { run, StartError, type RunOptions, type Running } from './run.js';
export { runService, type ServiceOptions } from './run-service.js';
export {
  makeHost,
  programShape,
  serviceProgramSettings,
  type ServiceProgramSettings,
} from './settings.js';
export { SettingsLoader } from './settings-loader.js';
