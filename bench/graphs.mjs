// RampartGraphs in bulk, with a control plane of Kubernetes, simulated nodes and the operator as a process: 1,000 graphs of one
// component at once until all are ready, with a stand-in for helm (graphs/stand-in-helm.mjs), and 10,000 that nothing
// happens to; then some with real helm, whose own time is what the workers should be busy with. Beside the first stands the rate at
// which a client that does nothing else makes the same writes: no operator could be faster on that machine.
// `npm run bench -- graphs [at once] [idle] [with helm]`; needs Linux, openssl and Go. Processor time of the operator is its own
// and that of the process that starts helm, without helm's: rates are those of a machine that the API server and the benchmark share.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { helmProgram } from '@glacis/testbed/cluster';
import { GraphTemplate } from './graphs/clones.mjs';
import { inParallel, openWorld, serveChart } from './graphs/world.mjs';
import { StandInHelm } from './graphs/stand-in-helm.mjs';
import { childrenCpuMs, loopCpuMs, ownCpuMs } from './support/cpu.mjs';
import { memoryOf } from './support/memory.mjs';
import {
  operatorAccount,
  operatorProcess,
  operatorRequests,
  operatorWrites,
} from './support/operator.mjs';

const [atOnce = 1_000, idle = 10_000, withHelm = 40] = process.argv.slice(2).map(Number);
const limitMs = 900_000;
const resyncSeconds = 60;
const warmUp = 200;
/** Graphs that the operator works on at once. */
const workers = 16;
/** Graphs that a bare client writes. */
const bare = Math.min(atOnce, 200);

const print = (figure, value, unit, digits = 1) =>
  console.log(`${figure} ${value.toFixed(digits)} ${unit}`);

/** An operator that reads 10,000 graphs for the first time may fail to answer: it is asked again. */
async function until(what, holds) {
  const end = performance.now() + limitMs;
  for (;;) {
    let cause;
    const held = await (async () => holds())().catch((error) => void (cause = error));
    if (held) return;
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs} ms`, { cause });
    await sleep(250);
  }
}

const namesOf = (prefix, count) => Array.from({ length: count }, (_, at) => `${prefix}-${at}`);
const stubbed = { repo: 'https://charts.example.com', name: 'worker', version: '1.0.0' };

async function allReady(world, names) {
  await until('ready graphs', () => names.every((name) => world.readyAt.has(name)));
}

/** Processor time of the operator, with that of the process that starts helm. */
function cpuOf({ daemon }) {
  const others = [...childrenCpuMs(daemon.pid).values()];
  return others.reduce((sum, ms) => sum + ms, ownCpuMs(daemon.pid));
}

/** @returns seconds, and milliseconds of processor time for each: of the operator, and of its event loop alone */
async function measured(world, operator, names, chart) {
  const { pid } = operator.daemon;
  const [cpu, loop, begun] = [cpuOf(operator), loopCpuMs(pid), performance.now()];
  await world.create(names, chart);
  await allReady(world, names);
  const seconds = (performance.now() - begun) / 1_000;
  const [cpuEach, loopEach] = [cpuOf(operator) - cpu, loopCpuMs(pid) - loop].map(
    (ms) => ms / names.length,
  );
  return { seconds, cpuEach, loopEach };
}

/** What comes before is not measured: another leads until its lease ends, and code that is new is slow. */
async function manyAtOnce(world, operator) {
  await measured(world, operator, namesOf('w', warmUp), stubbed);
  const names = namesOf('g', atOnce);
  const [begun, cpu] = [Date.now(), childrenCpuMs(process.pid)];
  const reconciles = await operator.reconciles();
  const { seconds, cpuEach, loopEach } = await measured(world, operator, names, stubbed);
  const used = childrenCpuMs(process.pid);
  const requests = await operatorRequests(world.cluster, begun, Date.now());
  const waits = world.waits(names);
  const [median, longest] = [waits[Math.floor(waits.length / 2)], waits.at(-1)];
  print('graphs_ready_rate', atOnce / seconds, 'graphs/s');
  print('graphs_operator_cpu_each', cpuEach, 'ms');
  print('graphs_ready_per_operator_cpu', 1_000 / cpuEach, 'graphs/s');
  print('graphs_operator_loop_each', loopEach, 'ms');
  // Where the API server has cores of its own, nothing but the one loop, which all graphs go through, bounds the rate.
  print('graphs_ready_per_loop', 1_000 / loopEach, 'graphs/s');
  print('graphs_operator_requests_each', requests.length / atOnce, 'requests');
  print(
    'graphs_reconciles_each',
    ((await operator.reconciles()) - reconciles) / atOnce,
    'reconciles',
  );
  for (const name of ['kube-apiserver', 'etcd', 'kwok']) {
    const each = (used.get(name) - cpu.get(name)) / atOnce;
    print(`graphs_${name.replace('-', '_')}_cpu_each`, each, 'ms');
  }
  print('graphs_wait_median', median / 1_000, 's');
  print('graphs_wait_longest', longest / 1_000, 's');
  print('graphs_wait_longest_to_median', longest / median, 'ratio', 2);
  return atOnce / seconds;
}

/** The same writes by a client that does nothing else, as many at once: what the API server allows on this machine. */
async function bareWrites(world, rate) {
  const template = await GraphTemplate.of(world, 'g-0');
  const names = namesOf('f', bare);
  const begun = performance.now();
  await inParallel(names, workers, (name, at) => template.deploy(name, at));
  const bareRate = bare / ((performance.now() - begun) / 1_000);
  print('graphs_bare_rate', bareRate, 'graphs/s');
  print('graphs_rate_to_bare', rate / bareRate, 'ratio', 2);
}

/** An operator that begins with all of them, and then has nothing to do. */
async function nothingHappens(world, operator) {
  const { daemon, reconciles } = operator;
  await until('a first look at each', async () => (await reconciles()) >= idle);
  await sleep(resyncSeconds * 1_000);
  const [before, cpu, begun] = [await reconciles(), cpuOf(operator), Date.now()];
  await until('a look at each', async () => (await reconciles()) - before >= idle);
  const end = Date.now();
  const written = await operatorWrites(world.cluster, begun, end);
  for (const { verb, objectRef } of written.slice(0, 5)) {
    console.error(
      `written: ${verb} ${objectRef.resource} ${objectRef.namespace}/${objectRef.name}`,
    );
  }
  print('graphs_idle', idle, 'graphs', 0);
  print('graphs_idle_writes', written.length, 'writes', 0);
  print('graphs_idle_memory', memoryOf(daemon.pid).rss, 'MB', 0);
  print('graphs_idle_cpu_each', (cpuOf(operator) - cpu) / idle, 'ms');
}

/** Workers are as busy with helm as they can be: seconds of helm in a second, of 4 at most. */
async function realHelm(world, operator, chart) {
  await measured(world, operator, namesOf('v', 1), chart);
  const before = await operator.sumOf('glacis_operator_helm_seconds_sum');
  const names = namesOf('h', withHelm);
  const { seconds } = await measured(world, operator, names, chart);
  const helm = (await operator.sumOf('glacis_operator_helm_seconds_sum')) - before;
  const rate = withHelm / seconds;
  print('graphs_helm_rate', rate, 'graphs/s', 2);
  print('graphs_helm_seconds_each', helm / withHelm, 's', 2);
  print('graphs_helm_ratio', rate / (4 / (helm / withHelm)), 'ratio', 2);
}

const folder = await mkdtemp(join(tmpdir(), 'glacis-bench-'));
const closing = [() => rm(folder, { recursive: true, force: true })];
try {
  const world = await openWorld(folder, Math.ceil(idle / 1_000) + 2);
  closing.push(() => world.close());
  const rules = ['operator', 'operator-graphs'];
  const account = await operatorAccount(world.cluster, folder, rules);
  const env = {
    ...account.env,
    GLACIS_OPERATOR_RESOURCES: 'rampartgraphs',
    GLACIS_RESYNC_SECONDS: resyncSeconds,
  };
  const during = async (more, work) => {
    const operator = await operatorProcess(folder, { ...env, ...more });
    await operator.daemon.start();
    closing.push(() => operator.daemon.kill());
    await work(operator);
    await operator.daemon.stop();
  };
  if (atOnce > 0) {
    const helm = await StandInHelm.start(folder, world);
    closing.push(() => helm.stop());
    let rate;
    const stubbed = { GLACIS_HELM: helm.program, GLACIS_WORKERS: workers };
    await during(stubbed, async (operator) => (rate = await manyAtOnce(world, operator)));
    await bareWrites(world, rate);
    if (idle > atOnce) {
      const template = await GraphTemplate.of(world, 'g-0');
      const names = namesOf('i', idle - atOnce - warmUp - bare);
      await inParallel(names, 32, (name, at) => template.copy(name, at));
      await during(stubbed, (operator) => nothingHappens(world, operator));
    }
  }
  if (withHelm > 0) {
    const charts = await serveChart(world.cluster, folder);
    closing.push(() => charts.stop());
    const chart = { repo: charts.url, name: 'worker', version: '1.0.0' };
    const real = { GLACIS_HELM: await helmProgram(), KUBECONFIG: account.kubeconfig };
    await during(real, (operator) => realHelm(world, operator, chart));
  }
} finally {
  for (const close of closing.toReversed()) await close();
}
