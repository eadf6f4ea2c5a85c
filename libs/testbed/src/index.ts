export { testDatabase, type TestDatabase } from './database.js';
export { temporaryFolder } from './temporary-folder.js';
export { openssl, type CommandResult } from './openssl.js';
export { findProcesses, listeningPorts, type FoundProcess } from './processes.js';
