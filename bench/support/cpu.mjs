// Processor time of servers, which neighbours on the machine change less than rates. Linux only: elsewhere it is NaN.
import { readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = 100;

/** Parent, and user and system time in ms with that of children waited for, of each process. */
function processes() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
        const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
        return [
          { pid: Number(pid), parent: Number(fields[1]), ms: (ticks * 1000) / ticksPerSecond },
        ];
      } catch {
        return [];
      }
    });
}

/** Milliseconds that these processes and all below them have used until now. */
export function cpuMs(...roots) {
  if (process.platform !== 'linux') return NaN;
  const all = processes();
  const wanted = new Set(roots);
  for (let size = -1; size !== wanted.size;) {
    size = wanted.size;
    for (const { pid, parent } of all) if (wanted.has(parent)) wanted.add(pid);
  }
  return all.filter(({ pid }) => wanted.has(pid)).reduce((sum, { ms }) => sum + ms, 0);
}

/** The same of one process alone. */
export const ownCpuMs = (pid) => userAndSystemMs(`/proc/${pid}/stat`);

/** The same of its main thread, where the event loop of Node runs. */
export const loopCpuMs = (pid) => userAndSystemMs(`/proc/${pid}/task/${pid}/stat`);

function userAndSystemMs(stat) {
  if (process.platform !== 'linux') return NaN;
  const fields = readFileSync(stat, 'utf8').split(') ').at(-1).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}

/** The same of each process that this one has started and that still runs, by its name. */
export function childrenCpuMs(parent) {
  if (process.platform !== 'linux') return new Map();
  const children = processes().filter((each) => each.parent === parent);
  return new Map(
    children.map(({ pid }) => [readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), ownCpuMs(pid)]),
  );
}
