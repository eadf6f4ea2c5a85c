import { dialects, type ComputationRun } from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
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

/** A stream of a dialect that starts one run at a time, and the computations that were sent over it. */
function oneAtATime(markSent: (id: string) => Promise<boolean>): {
  queue: RunQueue;
  sent: string[];
  started: (computationId: string) => void;
} {
  const sent: string[] = [];
  const dialect = dialects.seed;
  const write = async (bytes: Buffer): Promise<void> => {
    const message = dialect.decodeServer(bytes);
    if (message?.kind === 'run') sent.push(message.value.id);
  };
  const call = { ended: false, write };
  const stream = { ambiguous: false, dialect, call } as unknown as LiveStream;
  const queue = new RunQueue(stream, { maxWaiting: 100, markSent });
  const started = (computationId: string): void =>
    queue.heard({ kind: 'runResponse', value: { computationId, agentPort: '' } });
  return { queue, sent, started };
}

function add(queue: RunQueue, id: string): void {
  queue.reserve(1);
  queue.add({ id, run: { ...computation, id }, bytes: 1 });
}

describe('RunQueue', () => {
  it('a run whose cancellation was not recorded waits again, where it was first', async () => {
    const { queue, sent, started } = oneAtATime(async () => true);
    ['1', '2', '3'].forEach((id) => add(queue, id));
    await waitFor(() => sent.length === 1);
    queue.putBack(queue.cancel('2')!);
    started('1');
    await waitFor(() => sent.length === 2);
    started('2');
    await waitFor(() => sent.length === 3);
    expect(sent).toEqual(['1', '2', '3']);
    queue.close();
  });

  it('a run that is not sent after all holds up no other', async () => {
    const { queue, sent } = oneAtATime(async (id) => id !== '1');
    ['1', '2'].forEach((id) => add(queue, id));
    await waitFor(() => sent.length === 1);
    expect(sent).toEqual(['2']);
    queue.close();
  });

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
