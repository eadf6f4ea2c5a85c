import { createLogger } from '@glacis/observability';
import { InProcessBus } from '../src/in-process-bus.js';
import { busContract } from './bus-contract.js';

const logger = createLogger({ name: 'test', level: 'silent' });
const backoff = { initialMs: 5, factor: 2, maxMs: 20, jitter: 0 };

busContract('the in-process bus', async () => ({
  topics: ['backend', 'certificate'],
  connect: async () => new InProcessBus({ logger, backoff }),
  stop: async () => undefined,
}));
