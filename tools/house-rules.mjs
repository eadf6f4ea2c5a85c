// Who may import whom (DESIGN: apps import libs, never each other; libs import only libs below them), checked on
// the import statements of every source file. A breach fails the build with file and reason.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Libraries from the lowest layer up; those on one line do not import each other. */
const LAYERS = [
  ['runtime', 'settings', 'contracts', 'pki', 'graphs', 'shares'],
  ['mpc'],
  ['observability'],
  ['store', 'grpc', 'kube'],
  ['http'],
  ['events'],
  ['identity'],
  ['host'],
  ['testbed'],
];
/** Packages that may be named in one place only, with that place. */
const CONFINED = {
  kafkajs: 'libs/events/src/kafka/kafka-client.ts',
  typeorm: 'libs/store/',
  pg: 'libs/store/',
  '@kubernetes/client-node': 'libs/kube/src/api/',
  undici: 'apps/gateway/src/forwarding/',
  mongodb: 'apps/graph-apps/src/store/mongo/',
  '@aws-sdk/client-ec2': 'apps/jobs/src/compute/aws/',
  '@aws-sdk/client-s3': 'apps/jobs/src/storage/aws/',
  '@aws-sdk/s3-request-presigner': 'apps/jobs/src/storage/aws/',
  '@google-cloud/storage': 'apps/jobs/src/storage/gcp/',
  '@azure/storage-blob': 'apps/jobs/src/storage/azure/',
  '@azure/identity': 'apps/jobs/src/',
  'google-auth-library': 'apps/jobs/src/compute/gcp/',
};
/** Beside its main one a package may have these entrances. */
const entrances = new Set(['/testing', '/cluster', '/bare']);
const EMBEDDED = 'glacis';
/** Runs in browsers too. */
const PORTABLE = 'shares';

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

const declares = ({ manifest: { dependencies, devDependencies } }, name) =>
  name in { ...dependencies, ...devDependencies };

/** What is wrong with importing `target` at all, whatever is taken from it. */
function directionFault(room, target, test) {
  if (appNames.has(target))
    return room.name === EMBEDDED ? null : `an app imports the app ${target}`;
  if (target === 'testbed' && !test) return 'only tests import the testbed';
  if (room.kind === 'apps' || test || layerOf.get(target) < layerOf.get(room.name)) return null;
  return `@glacis/${target} does not lie below @glacis/${room.name}`;
}

function* ownFaults(room, file, target, deeper) {
  if (deeper && !entrances.has(deeper)) yield `reaches inside @glacis/${target}`;
  if (!declares(room, `@glacis/${target}`))
    yield `@glacis/${target} is not declared by ${room.dir}`;
  const fault = directionFault(room, target, isTest(file));
  if (fault) yield fault;
}

function* faultsOf(room, file, specifier) {
  const own = /^@glacis\/([^/]+)(\/.+)?$/.exec(specifier);
  if (own) yield* ownFaults(room, file, own[1], own[2]);
  const place = CONFINED[specifier];
  if (place && !file.startsWith(place) && !isTest(file))
    yield `${specifier} belongs to ${place} only`;
  if (room.name === PORTABLE && specifier.startsWith('node:') && !isTest(file))
    yield `${specifier} is not there in a browser`;
  if (specifier.startsWith('..') && !join(file, '..', specifier).startsWith(`${room.dir}/`)) {
    yield `${specifier} leaves ${room.dir}`;
  }
}

for (const room of rooms) {
  room.manifest = JSON.parse(readFileSync(`${room.dir}/package.json`, 'utf8'));
  if (room.kind === 'libs' && !layerOf.has(room.name)) faults.push(`${room.dir}: has no layer`);
  for (const file of sources(room.dir)) {
    const imports = importsOf(readFileSync(file, 'utf8'));
    const found = imports.flatMap((specifier) => [...faultsOf(room, file, specifier)]);
    faults.push(...found.map((text) => `${file}: ${text}`));
  }
}
for (const line of faults) console.error(line);
process.exit(faults.length === 0 ? 0 : 1);
