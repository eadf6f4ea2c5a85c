export { startProgram, type Program, type ProgramOptions } from './program.js';
export {
  loadManagerSettings,
  managerSettings,
  traceSettings,
  upstreamSettings,
  type ManagerSettings,
} from './settings.js';
export { enrolCommand } from './enrolment/enrol-command.js';
export { createLog } from './log.js';
export type { Ending, Manager } from './manager.js';
export { qemuSettings } from './qemu/settings.js';
