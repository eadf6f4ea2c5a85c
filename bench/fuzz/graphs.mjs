// Mutated graphs through every rule: nothing crashes, nothing is told twice differently, replies stay small, the operator
// admits nothing that admission refuses, and the schema says of each what an independent checker of JSON Schema says.
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import Ajv from 'ajv/dist/2020.js';
import { chartsOf, clusterOf } from '../../conformance/forms/context.mjs';
import { unexpected } from '../../conformance/forms/faults.mjs';
import { admit, examine, GRAPH_SCHEMA, RULES } from '../../libs/graphs/dist/index.js';
import { mutated, mutatedText, oddName, pick, randomOf } from './mutation.mjs';

const fixtures = ['validation-upstream', 'validation-real-charts'].flatMap((name) =>
  JSON.parse(
    readFileSync(`${import.meta.dirname}/../../conformance/fixtures/${name}.json`, 'utf8'),
  ),
);
const isValid = new Ajv({ strict: false, discriminator: true }).compile(GRAPH_SCHEMA);

/** Run `index` of a seed is run 0 of seed + index. */
export async function fuzzGraphs(runs, seed) {
  console.log(`seed ${seed}`);
  const codes = new Set();
  for (let index = 0; index < runs; index += 1) {
    const input = inputOf(randomOf(seed + index));
    const breach = await breachOf(input, codes);
    if (breach) {
      console.log(
        `${breach}\nagain: npm run fuzz -- graphs 1 ${seed + index}\n${JSON.stringify(input)}`,
      );
      return 1;
    }
  }
  console.log(
    `graphs.fuzzed ${runs} runs, ${codes.size} of ${Object.keys(RULES).length} codes seen`,
  );
  return largest(runs);
}

/** A graph with a few changes; now and then under another name, beside other graphs, or with other charts. */
function inputOf(random) {
  const sometimes = (share, value, otherwise) => (random() < share ? value() : otherwise);
  const { graph, context, spec } = pick(random, fixtures);
  const changed = mutated(random, spec);
  const component = pick(random, ['component1', 'component0', 'comp', 'c', 'a']);
  const charts = Object.entries(context.charts ?? {}).map(([name, text]) => [
    name,
    sometimes(0.3, () => mutatedText(random, text), text),
  ]);
  const other = { ...graph, name: oddName(random) };
  const neighbour = { metadata: other, spec: mutated(random, spec) };
  return {
    subject: { ...sometimes(0.1, () => other, graph), spec: sometimes(0.9, () => changed, spec) },
    context: {
      providedInfra: sometimes(0.9, () => context.providedInfra, {}),
      secrets: sometimes(0.9, () => context.secrets, { [`${graph.namespace}/repo`]: {} }),
      charts: Object.fromEntries(charts),
      existingNamespaces: sometimes(
        0.1,
        () => [`${graph.namespace}-${graph.name}-${component}`],
        [],
      ),
      existingGraphs: sometimes(0.1, () => [neighbour], context.existingGraphs),
    },
  };
}

async function breachOf({ subject, context }, codes) {
  const faults = [];
  const report = (error) => String(faults.push(error));
  const cluster = clusterOf(context);
  const first = admit(subject, cluster, report);
  const full = await examine(subject, cluster, chartsOf(context), report);
  for (const { code } of [...first.errors, ...full.verdict.errors]) codes.add(code);
  const checks = {
    [`a checker failed: ${faults[0]?.stack}`]: faults.length === 0,
    'another verdict the second time': isDeepStrictEqual(first, admit(subject, cluster, report)),
    'a reply without bounds': isBounded(first) && isBounded(full.verdict),
    'refused at admission but not in the operator':
      first.errors.length === 0 || full.verdict.errors.length > 0,
    'the schema and Ajv disagree': agrees(subject.spec, first.errors),
  };
  return Object.keys(checks).find((name) => !checks[name]);
}

function isBounded({ errors, warnings }) {
  const sizes = errors.map(({ path, message }) => Math.max(path.length, message.length));
  return errors.length <= 500 && warnings.length <= 51 && sizes.every((size) => size <= 1000);
}

/** Where stage 0 ended the run nothing is said of the schema, and Ajv knows no bound of depth. */
function agrees(spec, errors) {
  const isUnlike = ({ code, message }) =>
    RULES[code].startsWith('0') || message.includes('deep in one another');
  if (errors.some(isUnlike)) return true;
  return isValid(spec) === !errors.some(({ code }) => code === 'SCHEMA');
}

/** 2,000 components of ten edges each, the best of five. A long run is one that is asked for figures: it holds the bound. */
function largest(runs) {
  const subject = { namespace: 'team', name: 'large', spec: { graph: graphOf(2000) } };
  const times = [1, 2, 3, 4, 5].map(() => admissionOf(subject));
  const best = Math.min(...times);
  console.log(`graphs.admission_of_2000_components ${best.toFixed(1)} ms`);
  return runs >= 100_000 && best > 500 ? 1 : 0;
}

function admissionOf(subject) {
  const started = performance.now();
  const { errors } = admit(subject, clusterOf({}), unexpected);
  const took = performance.now() - started;
  if (errors.length > 0) throw new Error(`a legal graph was refused: ${errors[0].message}`);
  return took;
}

function graphOf(count) {
  const chart = { repo: 'https://charts.example.com', name: 'c', version: '1.0.0' };
  const inputs = Object.fromEntries(
    [...Array(10).keys()].map((index) => [
      `edge-${index}`,
      { type: 'volume', flow: `f${index}`, config: { mountPath: `/m/${index}` } },
    ]),
  );
  const flows = Object.fromEntries(
    [...Array(10).keys()].map((index) => [
      `f${index}`,
      { type: 'volume', config: { size: '1Gi' } },
    ]),
  );
  const components = Object.fromEntries(
    [...Array(count).keys()].map((index) => {
      const needs = index > 0 ? [`c${index - 1}`] : [];
      return [
        `c${index}`,
        { chart, config: {}, inputs: structuredClone(inputs), outputs: {}, needs },
      ];
    }),
  );
  return { components, flows };
}
