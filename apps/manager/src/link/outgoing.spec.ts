import type { ClientMessage } from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
import { Outgoing } from './outgoing.js';

const log = (message: string): ClientMessage => ({
  kind: 'agentLog',
  value: { message, level: 'debug', computationId: '', timestamp: undefined },
});
const event = (eventType: string): ClientMessage => ({
  kind: 'agentEvent',
  value: {
    eventType,
    status: '',
    computationId: '',
    originator: 'agent',
    details: Buffer.alloc(0),
    timestamp: undefined,
  },
});

describe('Outgoing', () => {
  it('keeps the order and sends the next message only when the one before was taken', async () => {
    const outgoing = new Outgoing();
    const sent: ClientMessage[] = [];
    const taken: (() => void)[] = [];
    outgoing.push(log('1'));
    outgoing.attach((message) => {
      sent.push(message);
      return new Promise((resolve) => taken.push(resolve));
    });
    outgoing.push(event('2'));
    expect(sent).toEqual([log('1')]);
    taken[0]?.();
    await waitFor(() => sent.length === 2);
    expect(sent[1]).toEqual(event('2'));
  });

  it('without a stream it keeps 1,000 messages and lets logs go first', async () => {
    const outgoing = new Outgoing();
    outgoing.push(event('first'));
    for (let i = 0; i < 1_000; i += 1) outgoing.push(log(String(i)));
    outgoing.push(event('last'));
    const sent: ClientMessage[] = [];
    outgoing.attach((message) => Promise.resolve(void sent.push(message)));
    await waitFor(() => sent.length === 1_000);
    expect([sent[0], sent[1], sent.at(-1)]).toEqual([event('first'), log('2'), event('last')]);
  });

  it('a stream that is gone does not take over from the one after it', async () => {
    const outgoing = new Outgoing();
    const sent: string[] = [];
    const older = (): Promise<void> => Promise.resolve(void sent.push('older'));
    const newer = (): Promise<void> => Promise.resolve(void sent.push('newer'));
    outgoing.attach(older);
    outgoing.attach(newer);
    outgoing.detach(older);
    outgoing.push(log('x'));
    await waitFor(() => sent.length === 1);
    outgoing.detach(newer);
    outgoing.push(log('y'));
    expect(sent).toEqual(['newer']);
  });
});
