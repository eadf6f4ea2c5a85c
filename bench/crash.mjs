// `npm run crash -- [seed] [kills]`: kill -9 of the whole suite under load, 20 times, every fourth time together with its
// Postgres. Prints one line `name value unit` per figure; exit 1 when anything acknowledged was lost, happened twice, or
// broke. What is wrong is listed on standard error.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@glacis/runtime';
import { authorityFaults, roots } from './crash/authority.mjs';
import { Manager } from './crash/managers.mjs';
import { Random } from './crash/random.mjs';
import { Target } from './crash/target.mjs';
import {
  brokenAudits,
  eventsAndEffects,
  lostWrites,
  settle,
  unexplained,
} from './crash/verify.mjs';
import { Writers } from './crash/writers.mjs';

const seed = Number(process.argv[2] ?? Date.now() % 1_000_000);
const kills = Number(process.argv[3] ?? 20);
const callers = 12;
const managerCount = 8;

const figure = (name, value, unit) => console.log(`${name} ${value} ${unit}`);
const faults = [];
const fault = (kind, items) => {
  faults.push(...items.map((item) => `${kind}: ${JSON.stringify(item)}`));
  return items.length;
};

async function crashRounds(target, writers, managers, random) {
  const restarts = [];
  const back = [];
  const lost = new Set();
  for (let round = 1; round <= kills; round++) {
    await sleep(random.between(300, 1_500));
    if (round % 3 === 0) await writers.revoke(managers[round / 3 - 1].certificate);
    await target.kill({ database: round % 4 === 0 });
    restarts.push(await target.start());
    const lostNow = await lostWrites(target, writers);
    fault(
      `lost in round ${round}`,
      lostNow.filter((each) => !lost.has(each)),
    );
    lostNow.forEach((each) => lost.add(each));
    target.open();
    const began = performance.now();
    const good = managers.filter(({ certificate }) => !certificate.revoked);
    await waitFor(() => good.every(({ live }) => live), { what: 'streams', deadlineMs: 60_000 });
    back.push(performance.now() - began);
    const [ready, streams] = [restarts.at(-1), back.at(-1)].map(Math.round);
    console.error(`kill ${round}: ready again in ${ready} ms, streams back in ${streams} ms`);
  }
  return { restarts, back, lost };
}

async function run(folder) {
  const random = new Random(seed);
  const target = new Target(join(folder, 'data'));
  const writers = new Writers(target, random);
  const managers = Array.from({ length: managerCount }, () => new Manager(target, writers));
  try {
    figure('first_start', (await target.start()).toFixed(0), 'ms');
    target.open();
    const before = await roots(target);
    await Promise.all(managers.map((manager) => manager.start()));
    writers.run(callers);
    const { restarts, back, lost } = await crashRounds(target, writers, managers, random);
    await writers.stop();
    const unsettled = await settle(target);
    const { missing, doubled } = await eventsAndEffects(target, writers);
    const extra = await unexplained(target, writers);
    const authority = await authorityFaults(target, writers, folder);
    if ((await roots(target)) !== before) authority.push('the roots have changed');
    const audits = await brokenAudits(target);
    const admitted = managers.filter((manager) => manager.admittedRevoked > 0);

    figure('kills', kills, 'times');
    figure('kills_with_database', Math.floor(kills / 4), 'times');
    figure('acknowledged_writes', writers.acknowledged, 'writes');
    figure('backends', writers.backends.size, 'backends');
    figure('certificates', writers.certificates.size, 'certificates');
    figure(
      'revoked',
      [...writers.certificates.values()].filter((c) => c.revoked).length,
      'certificates',
    );
    const late = (await lostWrites(target, writers)).filter((each) => !lost.has(each));
    figure('lost_writes', lost.size + fault('lost at the end', late), 'writes');
    figure('lost_events', fault('missing', missing) + unsettled, 'events');
    figure('double_effects', fault('doubled', doubled) + fault('unexplained', extra), 'effects');
    figure('authority_faults', fault('authority', authority), 'faults');
    figure('broken_audit_trails', fault('audit', audits), 'trails');
    figure(
      'revoked_admitted',
      fault(
        'admitted',
        admitted.map((m) => m.certificate),
      ),
      'managers',
    );
    figure('unexpected_answers', fault('answer', target.unexpected), 'answers');
    figure('restart_median', median(restarts).toFixed(0), 'ms');
    figure('restart_max', Math.max(...restarts).toFixed(0), 'ms');
    figure('streams_back_max', Math.max(...back).toFixed(0), 'ms');
    if (unsettled > 0) faults.push(`${unsettled} events or audit records never settled`);
  } finally {
    await Promise.all(managers.map((manager) => manager.stop()));
    await target.stop();
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

figure('seed', seed, 'number');
const folder = await mkdtemp(join(tmpdir(), 'glacis-crash-'));
try {
  await run(folder);
} finally {
  await rm(folder, { recursive: true, force: true });
}
for (const line of faults.slice(0, 50)) console.error(line);
process.exit(faults.length > 0 ? 1 : 0);
