import { conformance } from './conformance.js';
import { startSuite } from './running-suite.js';

describe('certificates and streams of the embedded suite', () => {
  conformance(startSuite);
});
