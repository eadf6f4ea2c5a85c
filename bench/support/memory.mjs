// Memory of a process and all below it, as Linux tells it.
import { readdirSync, readFileSync } from 'node:fs';

function parents() {
  const found = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const [, rest] = readFileSync(`/proc/${name}/stat`, 'utf8').split(/\) (?=[A-Z])/);
      found.set(Number(name), Number(rest.split(' ')[1]));
    } catch {
      // Ended since.
    }
  }
  return found;
}

function tree(root) {
  const all = parents();
  const found = [root];
  for (const parent of found) {
    for (const [child, of] of all) if (of === parent) found.push(child);
  }
  return found;
}

function kilobytes(file, key) {
  try {
    return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(readFileSync(file, 'utf8'))?.[1]);
  } catch {
    return 0;
  }
}

/** `rss` of the process alone and `pss` of it with everything it has started (shared pages counted once), in MB. */
export function memoryOf(pid) {
  const pss = tree(pid).reduce((sum, id) => sum + kilobytes(`/proc/${id}/smaps_rollup`, 'Pss'), 0);
  return { rss: kilobytes(`/proc/${pid}/status`, 'VmRSS') / 1024, pss: pss / 1024 };
}
