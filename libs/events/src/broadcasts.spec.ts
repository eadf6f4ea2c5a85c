import { systemClock } from '@glacis/runtime';
import { silent } from '../test/sink.js';
import { Broadcasts } from './broadcasts.js';
import { InProcessBus } from './in-process-bus.js';

test('a bus that takes nothing holds a bounded number of broadcasts', async () => {
  const bus = new InProcessBus({ logger: silent });
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  await bus.subscribe('stuck', ['token'], () => held);
  const broadcasts = new Broadcasts(bus, systemClock);
  const publish = (): Promise<void> =>
    broadcasts.publish('token.revoked', 't', { token_id: 't', expires_at: '2026-01-01T00:00:00Z' });
  const waiting = Array.from({ length: 1_000 }, publish);
  await expect(publish()).rejects.toMatchObject({ code: 'bus_busy' });
  release();
  await Promise.all(waiting);
  await publish();
  await bus.close();
});
