import { conformance, conformanceSettings } from './conformance.js';
import { startSuite, type RunningSuite } from './running-suite.js';

describe('certificates and streams of the embedded suite', () => {
  let suite: RunningSuite;

  beforeAll(async () => {
    suite = await startSuite(conformanceSettings);
  });
  afterAll(() => suite.close());

  conformance(() => suite);
});
