import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Api } from './demo/api.js';
import { Child } from './demo/child.js';
import { tellJobStory } from './demo/job-story.js';
import { managerChildren } from './demo/manager-child.js';
import { tellStory, type Step } from './demo/story.js';

// `npm run demo`: both main jobs from end to end on a throw-away data folder. Exit 0, or the step that failed.

const programs = {
  suite: fileURLToPath(new URL('./main.js', import.meta.url)),
  manager: fileURLToPath(new URL('../../manager/dist/main.js', import.meta.url)),
};

const startedAt = performance.now();
const children: Child[] = [];
let count = 0;

const step: Step = async (title, work) => {
  count += 1;
  const began = performance.now();
  process.stdout.write(`${String(count).padStart(2)}. ${title.padEnd(38)}`);
  const { value, note } = await work();
  const ms = performance.now() - began;
  process.stdout.write(`${ms.toFixed(0).padStart(6)} ms  ${note ?? ''}\n`);
  return value;
};

async function startSuite(dir: string): Promise<{ door: string; managers: string }> {
  return step('start the suite, database included', async () => {
    const suite = Child.start(programs.suite, {
      GLACIS_DATA_DIR: dir,
      GLACIS_PORT: '0',
      GLACIS_BACKENDS_MANAGER_PORT: '0',
      GLACIS_BACKENDS_AGENT_PORT: '0',
      GLACIS_CERTS_EST_PORT: '0',
      GLACIS_JOBS_AGENTS_PORT: '0',
    });
    children.push(suite);
    const ready = await suite.line(/door (http:\S+?), managers (\S+?),/, 120_000);
    const [, door = '', managers = ''] = ready;
    return { value: { door, managers }, note: door };
  });
}

async function run(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'glacis-demo-'));
  try {
    const { door, managers } = await startSuite(join(dir, 'data'));
    const token = (await readFile(join(dir, 'data', 'admin.token'), 'utf8')).trim();
    const api = new Api(door, token);
    const startManager = managerChildren(programs.manager, managers, children);
    await tellStory({ api, managers, address: '127.0.0.1', dir, startManager, step });
    await tellJobStory({ door, token, step });
    await step('stop the suite', async () => ({ value: await children[0]?.stop() }));
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await rm(dir, { recursive: true, force: true });
  }
}

try {
  await run();
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`\nAll of it in ${seconds.toFixed(1)} s. For real work: npm start`);
} catch (error) {
  console.error(`\nfailed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
