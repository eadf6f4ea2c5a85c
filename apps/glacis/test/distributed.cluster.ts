import { temporaryFolder } from '@glacis/testbed';
import { fileURLToPath } from 'node:url';
import { Api } from '../src/demo/api.js';
import type { Child } from '../src/demo/child.js';
import { tellJobStory } from '../src/demo/job-story.js';
import { managerChildren } from '../src/demo/manager-child.js';
import { tellStory, type Step } from '../src/demo/story.js';
import { appsWay } from './apps-way.js';
import { conformance, conformanceSettings } from './conformance.js';
import { startDistributed, type DistributedSuite } from './distributed-suite.js';
import { readmeWay } from './readme-way.js';
import { vms } from './vms.js';

const managerScript = fileURLToPath(new URL('../../manager/dist/main.js', import.meta.url));

describe('the suite as separate processes, two replicas of each service', () => {
  let suite: DistributedSuite;

  beforeAll(async () => {
    suite = await startDistributed({ settings: conformanceSettings });
  }, 180_000);
  afterAll(() => suite?.close(), 60_000);

  readmeWay(() => suite);
  appsWay(() => suite);

  it('plays the whole demo', async () => {
    const children: Child[] = [];
    const steps: string[] = [];
    const { api, door, managers } = suite;
    // The address of its host is taken in the first tenant.
    const roles = ['admin', 'platform-admin'];
    const { token } = await api.json<{ token: string }>('POST', '/tokens', {
      subject: 'demo',
      tenant: 'demo',
      roles,
    });
    const step: Step = async (title, work) => {
      steps.push(title);
      return (await work()).value;
    };
    await tellStory({
      api: new Api(door, token),
      managers,
      address: '127.0.0.1',
      startManager: managerChildren(managerScript, managers, children),
      dir: await temporaryFolder(),
      step,
    });
    await tellJobStory({ door, token, step });
    await Promise.all(children.map((child) => child.stop()));
    expect(steps.at(-1)).toMatch(/opens the result/);
  }, 120_000);

  conformance(() => suite);

  vms(() => suite);
});
