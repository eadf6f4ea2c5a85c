/** The process behind `npm run testbed -- up`: holds the components named after its state file until SIGTERM. */
import { once } from 'node:events';
import { startComponents, type ComponentName } from './components.js';
import { removeState, writeState } from './held-state.js';

const [, ...names] = process.argv.slice(2) as [string, ...ComponentName[]];
const ended = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
const started = await startComponents(names);
await writeState(started);
await ended;
await started.stop();
await removeState();
