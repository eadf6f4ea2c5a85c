import type { BackendEvent } from '@glacis/contracts';
import { createLogger } from '@glacis/observability';
import { waitFor } from '@glacis/runtime';
import { BackendWatches } from './backend-watches.js';

const event = (subject: string): BackendEvent => ({
  id: subject,
  type: 'backend.connected',
  time: new Date(),
  tenant: 'a',
  subject,
  data: {},
});

test('one stream per tenant; after each break everything may have been missed', async () => {
  const [heard, gaps, asked]: [string[], string[], string[]] = [[], [], []];
  const watches = new BackendWatches({
    backends: {
      async *watch({ tenant }, signal) {
        asked.push(tenant);
        yield event(`${tenant}-${asked.length}`);
        if (asked.length < 3) throw new Error('away');
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    },
    onEvent: ({ subject }) => heard.push(subject),
    onGap: (tenant) => gaps.push(tenant),
    logger: createLogger({ name: 'test', level: 'silent' }),
  });
  watches.ensure('a');
  watches.ensure('a');
  await waitFor(() => heard.length === 3);
  expect(heard).toEqual(['a-1', 'a-2', 'a-3']);
  expect(gaps).toEqual(['a', 'a', 'a']);
  expect(() => watches.check()).not.toThrow();
  await watches.stop();
  watches.ensure('b');
  expect(asked).toEqual(['a', 'a', 'a']);
});
