// `npm ci` refuses a lock file that lacks an optional platform package, and `npm install` writes such a file
// without a word when the registry holds no copy of it. Also: no entry may name a registry host.
import { readFileSync } from 'node:fs';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));

/** Where Node would look for `name` from the package at `path`, nearest first. */
function* candidates(path, name) {
  for (let at = path; ; at = at.replace(/\/?node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    yield `${at ? `${at}/` : ''}node_modules/${name}`;
    if (at === '' || !at.includes('node_modules')) break;
  }
  yield `node_modules/${name}`;
}

const faults = [];
for (const [path, entry] of Object.entries(packages)) {
  if (entry.resolved && !entry.link) faults.push(`${path}: names where it was fetched from`);
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    if (![...candidates(path, name)].some((place) => packages[place])) {
      faults.push(`${path}: no entry for its optional dependency ${name}`);
    }
  }
}
for (const fault of faults) console.error(fault);
process.exit(faults.length === 0 ? 0 : 1);
