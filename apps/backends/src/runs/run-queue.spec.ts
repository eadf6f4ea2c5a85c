import { dialects, type ComputationRun } from '@glacis/grpc';
import type { LiveStream } from '../streams/live-stream.js';
import { RunQueue } from './run-queue.js';

const MIB = 1024 * 1024;
const computation: ComputationRun = {
  id: 'c',
  name: '',
  description: '',
  datasets: [],
  algorithm: undefined,
  resultConsumers: [],
  agentConfig: undefined,
};

/** A stream whose manager reads nothing. */
function stalled(): RunQueue {
  const call = { ended: false, write: () => new Promise<void>(() => undefined) };
  const stream = { ambiguous: false, dialect: dialects['v0.4'], call } as unknown as LiveStream;
  return new RunQueue(stream, { maxWaiting: 100, markSent: async () => true });
}

describe('RunQueue', () => {
  it('holds 64 MiB of runs at most, those on their way included', () => {
    const queue = stalled();
    for (const id of ['1', '2']) {
      expect(queue.reserve(30 * MIB)).toBeUndefined();
      queue.add({ id, run: { ...computation, id }, bytes: 30 * MIB });
    }
    expect(queue.reserve(30 * MIB)).toBe('queue-full');
    expect(queue.reserve(4 * MIB)).toBeUndefined();
    queue.release(4 * MIB);
    expect(queue.cancel('2')).toMatchObject({ id: '2' });
    expect(queue.reserve(30 * MIB)).toBeUndefined();
  });
});
