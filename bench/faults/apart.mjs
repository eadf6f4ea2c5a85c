// Breaks what the suite apart stands on, one thing after another, while callers write, issue and revoke and managers hold
// streams; with `rolling` it restarts every replica in turn instead. Breaches: anything acknowledged was lost, happened
// twice, came in another order, or a stream of a revoked certificate lived on. Needs Linux, root, Java, Maven and Postgres.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { authorityFaults, roots } from '../crash/authority.mjs';
import { Random } from '../crash/random.mjs';
import {
  brokenAudits,
  eventsAndEffects,
  lostWrites,
  settle,
  unexplained,
} from '../crash/verify.mjs';
import { Writers } from '../crash/writers.mjs';
import { Fleet } from './fleet.mjs';
import { eventsFlow } from './flow.mjs';
import { compareWithOutboxes } from './kafka-log.mjs';
import { restarts } from './rolling.mjs';
import { scenarios } from './scenarios.mjs';
import { openStage } from './stage.mjs';
import { Target } from './target.mjs';
import { percentile } from '../support/load.mjs';

const [first, ...others] = process.argv.slice(2);
const rolling = first === 'rolling';
const [streams = 500, seed = Date.now() % 1_000_000, only = ''] = rolling
  ? others
  : process.argv.slice(2);
const callers = 8;
/** Events that are not published by then are taken for lost. */
const settleMs = 60_000;

const figure = (name, value, unit) => console.log(`${name} ${value} ${unit}`);
const faults = [];
const fault = (kind, items) => {
  faults.push(...items.map((item) => `${kind}: ${JSON.stringify(item)}`));
  return items.length;
};

/** Breaks and mends once, certificates being revoked before, meanwhile and after. */
async function suffer({ title, holdMs, begin }, { target, fleet }) {
  await fleet.revoke(2);
  await fleet.settled();
  target.slowest = { ms: 0, what: '' };
  let mended;
  const over = new Promise((resolve) => (mended = resolve));
  const mend = await begin();
  const revoked = fleet.revoke(2, over);
  await sleep(holdMs);
  await mend();
  mended();
  const began = performance.now();
  const since = () => Math.round(performance.now() - began);
  const [events, back] = await Promise.all([
    eventsFlow(target, settleMs).then((left) => {
      if (left > 0) faults.push(`${left} events wait ${settleMs} ms after: ${title}`);
      return since();
    }),
    fleet.allLive().then(since),
  ]);
  await revoked;
  await fleet.revoke(2);
  const slug = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_');
  console.error(`slowest: ${target.slowest.what}; retried: ${JSON.stringify([...target.retries])}`);
  figure(`${slug}_slowest_call`, target.slowest.ms, 'ms');
  figure(`${slug}_events_flow_after`, events, 'ms');
  figure(`${slug}_streams_back_after`, back, 'ms');
}

async function sufferAll(stage, load) {
  const all = rolling ? restarts(stage.suite) : scenarios(stage);
  for (const each of all.filter(({ title }) => title.includes(only))) {
    console.error(each.title);
    await suffer(each, load);
  }
}

/** The load, everything that breaks under it, and what is left to be checked when all is quiet again. */
async function run(stage, folder) {
  const target = new Target(stage.suite, stage.databaseUrl);
  const writers = new Writers(target, new Random(Number(seed)));
  const fleet = new Fleet(target, writers, Number(streams));
  try {
    const before = await roots(target);
    await fleet.start();
    await Promise.race([writers.run(callers), sufferAll(stage, { target, fleet })]);
    await writers.stop();
    await fleet.settled();
    await verify({ target, writers, fleet, stage, before, folder });
  } finally {
    await fleet.stop();
  }
}

async function verify({ target, writers, fleet, stage, before, folder }) {
  const unsettled = await settle(target, settleMs);
  const { missing, doubled } = await eventsAndEffects(target, writers);
  const onBrokers = await compareWithOutboxes(stage.kafka.brokers, stage.databaseUrl);
  const authority = await authorityFaults(target, writers, folder);
  if ((await roots(target)) !== before) authority.push('the roots have changed');
  const admitted = fleet.managers.filter((manager) => manager.admittedRevoked > 0);
  const certificates = [...writers.certificates.values()];
  const cuts = fleet.cuts.toSorted((a, b) => a - b);

  figure('streams', streams, 'streams');
  figure('acknowledged_writes', writers.acknowledged, 'writes');
  figure('issued', certificates.length, 'certificates');
  figure('revoked', certificates.filter((each) => each.revoked).length, 'certificates');
  figure(
    'retried_calls',
    [...target.retries.values()].reduce((a, b) => a + b, 0),
    'calls',
  );
  figure('lost_writes', fault('lost', await lostWrites(target, writers)), 'writes');
  const lostEvents = [...missing, ...onBrokers.missing];
  figure('lost_events', fault('missing', lostEvents) + unsettled, 'events');
  figure('disordered_keys', fault('disordered', onBrokers.disordered), 'keys');
  const extra = await unexplained(target, writers);
  figure('double_effects', fault('doubled', [...doubled, ...extra]), 'effects');
  figure('missed_revocations', fault('stream lives on', fleet.missed), 'streams');
  const serials = admitted.map(({ certificate }) => certificate.serial);
  figure('revoked_admitted', fault('admitted', serials), 'managers');
  figure('revoke_to_cut_p99', percentile(cuts, 0.99).toFixed(0), 'ms');
  figure('authority_faults', fault('authority', authority), 'faults');
  figure('broken_audit_trails', fault('audit', await brokenAudits(target)), 'trails');
  figure('unexpected_answers', fault('answer', target.unexpected), 'answers');
  if (unsettled > 0) faults.push(`${unsettled} events or audit records never settled`);
}

/** Rejects on Ctrl-C, so that everything is put away. */
async function interruption() {
  const signals = ['SIGINT', 'SIGTERM'].map((signal) => once(process, signal));
  const [signal] = await Promise.race(signals);
  throw new Error(signal);
}

figure('seed', seed, 'number');
const folder = await mkdtemp(join(tmpdir(), 'glacis-faults-'));
try {
  const stage = await openStage();
  try {
    await Promise.race([run(stage, folder), interruption()]);
  } finally {
    await stage.close();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
for (const line of faults.slice(0, 50)) console.error(line);
process.exit(faults.length > 0 ? 1 : 0);
