// Who may import whom (DESIGN: apps import libs, never each other; libs import only libs below them), checked on
// the import statements of every source file. A breach fails the build with file and reason.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Libraries from the lowest layer up; those on one line do not import each other. */
const LAYERS = [
  ['runtime', 'settings', 'contracts', 'pki'],
  ['observability'],
  ['store', 'grpc'],
  ['http'],
  ['events'],
  ['identity'],
  ['testbed'],
];
/** Packages that may be named in one place only, with that place. */
const CONFINED = {
  kafkajs: 'libs/events/src/kafka-bus.ts',
  typeorm: 'libs/store/',
  pg: 'libs/store/',
};
const EMBEDDED = 'glacis';

const layerOf = new Map(LAYERS.flatMap((names, level) => names.map((name) => [name, level])));
const rooms = ['libs', 'apps'].flatMap((kind) =>
  readdirSync(kind, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => ({ kind, name: entry.name, dir: `${kind}/${entry.name}` })),
);
const appNames = new Set(rooms.filter(({ kind }) => kind === 'apps').map(({ name }) => name));

function sources(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory())
      return ['dist', 'node_modules'].includes(entry.name) ? [] : sources(path);
    return /\.(ts|mts)$/.test(entry.name) ? [path] : [];
  });
}

function importsOf(text) {
  const pattern = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)['"]([^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => match[1]);
}

const isTest = (file) => /\.spec\.ts$|\/test\//.test(file);
const faults = [];
const fault = (file, text) => faults.push(`${file}: ${text}`);

function checkOwn(room, file, specifier) {
  const [, target, deeper] = /^@glacis\/([^/]+)(\/.+)?$/.exec(specifier) ?? [];
  if (!target) return;
  if (deeper && deeper !== '/testing') fault(file, `reaches inside @glacis/${target}`);
  const declared = JSON.parse(readFileSync(`${room.dir}/package.json`, 'utf8'));
  const known = { ...declared.dependencies, ...declared.devDependencies };
  if (!known[`@glacis/${target}`])
    fault(file, `@glacis/${target} is not a dependency of ${room.dir}`);
  if (target === 'testbed' && !isTest(file) && room.name !== 'testbed') {
    fault(file, 'only tests import @glacis/testbed');
  }
  if (appNames.has(target) && room.name !== EMBEDDED)
    fault(file, `an app imports the app ${target}`);
  if (room.kind === 'apps' || isTest(file)) return;
  if (!(layerOf.get(target) < layerOf.get(room.name))) {
    fault(file, `@glacis/${target} does not lie below @glacis/${room.name}`);
  }
}

for (const room of rooms) {
  if (room.kind === 'libs' && !layerOf.has(room.name))
    fault(room.dir, 'has no place in the layers');
  for (const file of sources(room.dir)) {
    for (const specifier of importsOf(readFileSync(file, 'utf8'))) {
      checkOwn(room, file, specifier);
      const place = CONFINED[specifier];
      if (place && !file.startsWith(place) && !isTest(file)) {
        fault(file, `${specifier} may be imported in ${place} only`);
      }
      if (specifier.startsWith('..') && !join(file, '..', specifier).startsWith(`${room.dir}/`)) {
        fault(file, `${specifier} leaves ${room.dir}`);
      }
    }
  }
}
for (const line of faults) console.error(line);
process.exit(faults.length === 0 ? 0 : 1);
