// Changes JSON values in ways that a checker may stumble over; the same seed makes the same changes.

/** Mulberry32: numbers from 0 to 1. */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const pick = (random, list) => list[Math.floor(random() * list.length)];

const inherited = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', 'then'];
const oddNames = [
  '',
  'A',
  'a_b',
  'a/b',
  'a~b',
  'a\n',
  'é',
  '\ud800',
  '-a',
  'x'.repeat(70),
  'x'.repeat(300),
];
const knownNames =
  'a b a-b $ui type flow config chart needs namespace kind size mountPath secret deploy flow1 component1 input1 ' +
  'rampart-flows rampart-flows-volume';
const KEYS = [...inherited, ...oddNames, ...knownNames.split(' ')];

const deep = (depth) => JSON.parse('['.repeat(depth) + ']'.repeat(depth));
const scalars = [null, true, false, 0, -1, 1, 1.5, 1e300, -0];
const containers = [[], {}, [null], { a: null }, deep(150), deep(1000)];
const words =
  'latest latestx 1.0.0 v1 None null 1Gi 0 +1e9 1e999Gi volume repository pulsar kafka volumes git dvc s3 Retain ' +
  'gs://x https://x oci://x/y https:// //x repo __proto__';
const paths = [
  '/',
  '//',
  '/a',
  '/a/b',
  '/a//b',
  '/a/../b',
  '.',
  'a:b',
  '\0',
  '/a\n',
  ' / ',
  '/'.repeat(5000),
];
const texts = ['', ' ', '\ud800', 'x'.repeat(5000)];
const VALUES = [...scalars, ...containers, ...words.split(' '), ...paths, ...texts];

export const oddName = (random) => pick(random, KEYS);

/** A copy of the value, changed in up to four places. */
export function mutated(random, value) {
  const root = { value: structuredClone(value) };
  for (let times = Math.floor(random() * 4) + 1; times > 0; times -= 1) mutate(random, root);
  return root.value;
}

function mutate(random, root) {
  const places = placesIn(root);
  const { parent, key } = pick(random, places);
  pick(random, [replace, replace, remove, rename, add, add, copy, many])(random, {
    parent,
    key,
    places,
  });
}

function placesIn(root) {
  const places = [];
  for (const open = [root]; open.length > 0 && places.length < 3000;) {
    const parent = open.pop();
    for (const key of Object.keys(parent)) {
      places.push({ parent, key });
      if (isContainer(parent[key])) open.push(parent[key]);
    }
  }
  return places;
}

const isContainer = (value) => typeof value === 'object' && value !== null;

/** Every name becomes an own one. */
function put(target, key, value) {
  const descriptor = { value, enumerable: true, configurable: true, writable: true };
  Object.defineProperty(target, key, descriptor);
}

/** Null for what has become too deep to be copied. */
function copyOf(value) {
  try {
    return structuredClone(value);
  } catch {
    return null;
  }
}

function replace(random, { parent, key }) {
  put(parent, key, structuredClone(pick(random, VALUES)));
}

function remove(_, { parent, key }) {
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else if (Object.keys(parent).length > 1) delete parent[key];
}

function rename(random, { parent, key }) {
  if (Array.isArray(parent) || key === 'value') return;
  const value = parent[key];
  delete parent[key];
  put(parent, pick(random, KEYS), value);
}

function add(random, { parent, key }) {
  const target = isContainer(parent[key]) ? parent[key] : parent;
  const value = structuredClone(pick(random, VALUES));
  if (Array.isArray(target)) target.push(value);
  else put(target, pick(random, KEYS), value);
}

/** Something from elsewhere: a component as a flow, a flow as an edge. */
function copy(random, { parent, key, places }) {
  const from = pick(random, places);
  put(parent, key, copyOf(from.parent[from.key]));
}

/** Thirty more of its kind, with names that mean something elsewhere. */
function many(random, { parent, key }) {
  const names = [...Array(25).keys()].map((index) => `n${index}`);
  for (const name of [...names, pick(random, KEYS), pick(random, KEYS)]) {
    if (Array.isArray(parent)) parent.push(pick(random, [...names, ...KEYS]));
    else put(parent, name, copyOf(parent[key]));
  }
}

/** A text with a piece taken out, put in or put elsewhere. */
export function mutatedText(random, text) {
  const at = Math.floor(random() * (text.length + 1));
  const to = at + Math.floor(random() * 12);
  const pieces = [
    '',
    '*',
    ': ',
    '\n',
    '- ',
    '&a ',
    '!x ',
    '[',
    '{',
    '"',
    '\t',
    '~',
    text.slice(at, to),
  ];
  return text.slice(0, at) + pick(random, pieces) + text.slice(to);
}
