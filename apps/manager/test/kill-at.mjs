// Loaded into a program before it starts: kills it, as a power cut would, right before its KILL_AT-th change of a file in
// KILL_FOLDER.
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const { KILL_FOLDER: folder = '', KILL_AT: at = '0' } = process.env;
let left = Number(at);

for (const change of ['mkdir', 'open', 'rename', 'symlink', 'rm']) {
  const real = promises[change];
  promises[change] = (...args) => {
    const within = args.some((arg) => typeof arg === 'string' && arg.startsWith(folder));
    if (within && --left === 0) process.kill(process.pid, 'SIGKILL');
    return real(...args);
  };
}
syncBuiltinESMExports();
