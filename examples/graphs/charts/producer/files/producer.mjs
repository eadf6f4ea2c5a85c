// Writes a record every while, with its number and the time: as a line of a file on the volume, as a commit of the
// repository, and as a message of the topic. The graph says where those are, by variables and under no other name.
import { execFile } from 'node:child_process';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const { RAMPART_OUTPUT_records, RAMPART_OUTPUT_history, RAMPART_OUTPUT_events, EVERY_MS } =
  process.env;
const file = join(RAMPART_OUTPUT_records, 'records.jsonl');
// kafka://host:port[,host:port]/topic
const [, brokers, topic] = /^kafka:\/\/([^/]+)\/(.+)$/.exec(RAMPART_OUTPUT_events);

// The one package of the image that this needs.
const { Kafka, logLevel } = createRequire('/opt/glacis/package.json')('kafkajs');
const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.ERROR });
const events = kafka.producer();

/** The folder of the clone is the volume's and not ours. */
const git = (...args) =>
  promisify(execFile)('git', ['-c', 'safe.directory=*', '-C', RAMPART_OUTPUT_history, ...args]);

/** After a start it goes on where the volume ends. */
async function lastNumber() {
  const lines = await readFile(file, 'utf8').catch(() => '');
  const last = lines.trimEnd().split('\n').at(-1);
  return last ? JSON.parse(last).number : 0;
}

async function write(number) {
  const record = JSON.stringify({ number, at: new Date().toISOString() });
  await appendFile(file, `${record}\n`);
  await writeFile(join(RAMPART_OUTPUT_history, 'latest.json'), `${record}\n`);
  await git('add', 'latest.json');
  await git('commit', '--quiet', '--message', `Record ${number}`);
  await git('push', '--quiet', 'origin', 'HEAD');
  await events.send({ topic, messages: [{ value: record }] });
  console.log(record);
}

/** Nobody else commits here: a lock is of a git that was killed, and would stop all that follow. */
async function removeLocks() {
  const { stdout } = await git('rev-parse', '--absolute-git-dir');
  for (const lock of ['index.lock', 'HEAD.lock'])
    await rm(join(stdout.trim(), lock), { force: true });
}

// A record that has begun is written over all flows.
const ending = new AbortController();
const { signal } = ending;
process.on('SIGTERM', () => ending.abort());
await events.connect();
await removeLocks();
for (let number = (await lastNumber()) + 1; !signal.aborted; number += 1) {
  await write(number);
  await sleep(Number(EVERY_MS), undefined, { signal }).catch(() => undefined);
}
await events.disconnect();
