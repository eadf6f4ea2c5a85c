// Reads what the producer writes and answers `GET /` with the last record of each flow and how many there were.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

const { RAMPART_INPUT_records, RAMPART_INPUT_history, RAMPART_INPUT_events, GROUP } = process.env;
// kafka://host:port[,host:port]/topic
const [, brokers, topic] = /^kafka:\/\/([^/]+)\/(.+)$/.exec(RAMPART_INPUT_events);

// The one package of the image that this needs.
const { Kafka, logLevel } = createRequire('/opt/glacis/package.json')('kafkajs');
const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.ERROR });

/** Of the topic, from its beginning. */
const heard = { count: 0 };

async function listen() {
  // A group of its own at each start, so that it hears all of it again.
  const events = kafka.consumer({ groupId: `${GROUP}-${process.pid}-${Date.now()}` });
  await events.connect();
  await events.subscribe({ topic, fromBeginning: true });
  await events.run({
    eachMessage: async ({ message }) => {
      heard.count += 1;
      heard.last = JSON.parse(message.value);
    },
  });
}

async function ofVolume() {
  const lines = await readFile(join(RAMPART_INPUT_records, 'records.jsonl'), 'utf8');
  const records = lines.trimEnd().split('\n');
  return { count: records.length, last: JSON.parse(records.at(-1)) };
}

/** The folder of the clone is the volume's and not ours. */
async function git(...args) {
  const options = ['-c', 'safe.directory=*', '-C', RAMPART_INPUT_history];
  return (await promisify(execFile)('git', [...options, ...args])).stdout;
}

async function ofRepository() {
  await git('fetch', '--quiet', 'origin');
  const [branch] = (await git('for-each-ref', '--format=%(refname)', 'refs/remotes')).split('\n');
  const count = Number(await git('rev-list', '--count', branch));
  return { count, last: JSON.parse(await git('show', `${branch}:latest.json`)) };
}

/** What is not there yet is null. */
const orNull = (reading) => reading.catch(() => null);

async function answer(path) {
  if (path === '/healthz') return {};
  const [volume, repository] = await Promise.all([orNull(ofVolume()), orNull(ofRepository())]);
  return { volume, repository, kafka: heard.last ? heard : null };
}

await listen();
createServer((request, response) => {
  answer(request.url).then(
    (body) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body)),
    (error) => response.writeHead(500).end(error.message),
  );
}).listen(8080);
process.on('SIGTERM', () => process.exit());
