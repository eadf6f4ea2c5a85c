import { getEventListeners } from 'node:events';
import { waitFor } from '@glacis/runtime';
import { createLogger } from '@glacis/observability';
import type { Consumer } from './kafka-client.js';
import { Membership } from './membership.js';

/** A consumer that joins, and crashes a moment later unless it is told to stay. */
function consumer(stays: boolean): Consumer {
  const listeners = new Map<string, (event: unknown) => void>();
  const tell = (name: string, payload: unknown): void => listeners.get(name)?.({ payload });
  const fake = {
    on: (name: string, listener: (event: unknown) => void) => listeners.set(name, listener),
    connect: async () => undefined,
    subscribe: async () => undefined,
    disconnect: async () => undefined,
    run: async () => {
      tell('consumer.group_join', {});
      if (!stays) setImmediate(() => tell('consumer.crash', { error: new Error('broker away') }));
    },
  };
  return fake as unknown as Consumer;
}

test('bug: each consumer that was lost left a listener behind', async () => {
  let made = 0;
  const membership = new Membership({
    groupId: 'group',
    topics: ['topic'],
    fromBeginning: true,
    newConsumer: () => consumer(++made === 30),
    prepare: async () => undefined,
    onJoin: () => undefined,
    onBatch: async () => undefined,
    ping: async () => undefined,
    stallMs: 60_000,
    backoff: { initialMs: 1, factor: 1, maxMs: 1, jitter: 0 },
    logger: createLogger({ name: 'test', level: 'silent' }),
  });
  await membership.start();
  await waitFor(() => made === 30 && membership.trouble === undefined);
  const { signal } = (membership as unknown as { closing: AbortController }).closing;
  expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1);
  await membership.close();
});
