// `npm run bench -- jobs`: whole jobs in local execution, three party processes each: one of 100 rows from submit to `Success`,
// and 20 submitted at once. The result of each is opened and checked.
import { setTimeout as sleep } from 'node:timers/promises';
import { ended, open, prepare, submit } from './support/job-client.mjs';
import { rowsOf, startService, withPlace } from './support/job-service.mjs';

const [runs = '5'] = process.argv.slice(2).filter((each) => !each.startsWith('--'));
const [atOnce, rows] = [20, 34];

const seconds = (from) => (performance.now() - from) / 1000;
const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];

/** Seconds from submit, and from its answer, to `Success`. */
async function timed(service, job) {
  const began = performance.now();
  const { status, body } = await submit(service, job);
  if (status !== 200) throw new Error(`submit: ${JSON.stringify(body)}`);
  const answered = performance.now();
  const end = await ended(service, job, 600_000);
  if (end.status !== 'Success') throw new Error(`a job ends in ${JSON.stringify(end)}`);
  const took = { submit: seconds(began), answer: seconds(answered) };
  const counted = (await open(end.result)).reduce((sum, row) => sum + row.n, 0);
  if (counted !== 3 * rows) throw new Error(`a result counts ${counted} rows`);
  return took;
}

/** The most jobs that were on their way and not begun with at one time. */
async function longestQueue(place, signal) {
  let longest = 0;
  const sql = `SELECT count(*)::integer AS waiting FROM jobs WHERE state IN ('validating', 'submitted')`;
  while (!signal.aborted) {
    const [{ waiting }] = await rowsOf(place, sql);
    longest = Math.max(longest, waiting);
    await sleep(100);
  }
  return longest;
}

await withPlace(async (place) => {
  const service = await startService(place);
  const alone = [];
  for (let run = 0; run < Number(runs); run++)
    alone.push(await timed(service, await prepare(service, rows)));
  console.log(`one_job_seconds ${median(alone.map(({ submit: s }) => s)).toFixed(2)} s`);
  console.log(
    `one_job_after_submit_seconds ${median(alone.map(({ answer: s }) => s)).toFixed(2)} s`,
  );
  const jobs = [];
  for (let job = 0; job < atOnce; job++) jobs.push(await prepare(service, rows));
  const stop = new AbortController();
  const queue = longestQueue(place, stop.signal);
  const began = performance.now();
  const ends = await Promise.all(jobs.map((job) => timed(service, job)));
  console.log(`jobs_at_once_seconds ${seconds(began).toFixed(2)} s`);
  console.log(`jobs_at_once_ended ${ends.length} count`);
  stop.abort();
  console.log(`longest_queue ${await queue} count`);
});
