// Breaks what two operators stand on, while TeeManagers are made, want other certificates and are deleted. Breaches: two
// backends or deletions of one TeeManager, more certificates than it asked for, a write of an operator that did not lead,
// and more than 15 s until everything is as asked for. Needs Linux, Go for the first run, and openssl.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../crash/random.mjs';
import { writesOf } from './kube/audit.mjs';
import { scenarios } from './kube/scenarios.mjs';
import { openStage } from './kube/stage.mjs';
import { TeeManagers } from './kube/tee-managers.mjs';
import { actions } from './kube/verify.mjs';

const [seed = Date.now() % 1_000_000, only = ''] = process.argv.slice(3);
const lease = 'glacis-operator';
const recoveryMs = 15_000;
const round = { created: 2, renewed: 2, deleted: 1 };

const figure = (name, value, unit) => console.log(`${name} ${value} ${unit}`);
const faults = [];
const fault = (kind, items) => {
  faults.push(...items.map((item) => `${kind}: ${JSON.stringify(item)}`));
  return items.length;
};

/** Breaks and mends once, with changes under way before, meanwhile and after. */
async function suffer({ title, holdMs, begin, podEndMs = 0 }, teeManagers) {
  await teeManagers.change(round);
  const mend = await begin();
  const meanwhile = teeManagers.change(round);
  await sleep(holdMs);
  await mend();
  const mended = performance.now();
  await Promise.all([meanwhile, teeManagers.change(round)]);
  const slug = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_');
  const measured = async (what, done, limitMs) => {
    await done;
    const ms = Math.round(performance.now() - mended);
    figure(`${slug}_${what}_after`, ms, 'ms');
    if (ms > limitMs) faults.push(`${title}: ${what} after ${ms} ms, over ${limitMs}`);
  };
  await Promise.all([
    measured('certified', teeManagers.certified(), recoveryMs),
    measured('deleted', teeManagers.gone(), recoveryMs + podEndMs),
  ]);
}

async function run(stage) {
  const teeManagers = new TeeManagers(stage.server, new Random(Number(seed)));
  await Promise.all(stage.operators.map((operator) => operator.start()));
  await stage.leader();
  await teeManagers.createShortLived(4);
  await teeManagers.change({ created: 16, renewed: 0, deleted: 0 });
  await teeManagers.certified();
  for (const each of scenarios(stage).filter(({ title }) => title.includes(only))) {
    console.error(each.title);
    await suffer(each, teeManagers);
  }
  await verify(stage, teeManagers);
}

async function verify({ cluster, operators, databaseUrl }, { wanted }) {
  const users = operators.map(({ user }) => user);
  const log = writesOf(await cluster.auditEvents(), users, lease);
  const done = await actions(databaseUrl, wanted);
  figure('tee_managers', wanted.size, 'objects');
  figure('certificates', done.certificates, 'certificates');
  figure('api_writes', log.writes.length, 'writes');
  figure('terms', log.terms.length, 'terms');
  if (log.fenced.length > 0) console.error(log.terms);
  figure('fenced_writes', fault('fenced', log.fenced), 'writes');
  figure('double_actions', fault('doubled', done.doubled), 'actions');
  figure('missing_actions', fault('missing', done.missing), 'actions');
  figure('left_valid', fault('left', done.left), 'tee managers');
}

/** Rejects on Ctrl-C, so that everything is put away. */
async function interruption() {
  const signals = ['SIGINT', 'SIGTERM'].map((signal) => once(process, signal));
  const [signal] = await Promise.race(signals);
  throw new Error(signal);
}

figure('seed', seed, 'number');
const stage = await openStage();
try {
  await Promise.race([run(stage), interruption()]);
} finally {
  await stage.close();
}
for (const line of faults.slice(0, 50)) console.error(line);
process.exit(faults.length > 0 ? 1 : 0);
