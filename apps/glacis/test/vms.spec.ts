import { startSuite, type EmbeddedSuite } from './running-suite.js';
import { vms } from './vms.js';

let suite: EmbeddedSuite;

beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite?.close());

vms(() => suite);
