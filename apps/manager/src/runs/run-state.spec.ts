import * as fc from 'fast-check';
import { runStep, type RunInput, type RunPhase, type Saying } from './run-state.js';

const input: fc.Arbitrary<RunInput> = fc.oneof(
  fc.constant<RunInput>({ kind: 'requested' }),
  fc.constant<RunInput>({ kind: 'provisioning' }),
  fc.constant<RunInput>({ kind: 'started', port: '6100' }),
  fc.constant<RunInput>({ kind: 'failed', reason: 'broken' }),
  fc.constant<RunInput>({ kind: 'stopRequested' }),
  fc.constant<RunInput>({ kind: 'stopped' }),
  fc.constant<RunInput>({ kind: 'stopFailed', reason: 'stuck' }),
  fc.constant<RunInput>({ kind: 'agent', state: 'Running', status: 'InProgress' }),
  fc.constant<RunInput>({ kind: 'log', level: 'debug', text: 'x' }),
);

interface Told {
  input: RunInput;
  before: RunPhase | undefined;
  after: RunPhase;
  say: Saying[];
  act?: 'start' | 'stop';
}

/** One computation id through a series of inputs; `over` is forgotten, as `Runs` does it. */
function live(inputs: RunInput[]): Told[] {
  let phase: RunPhase | undefined;
  return inputs.map((given) => {
    const before = phase;
    const { phase: after, say, act } = runStep(phase, given);
    phase = after === 'over' ? undefined : after;
    return { input: given, before, after, say, act };
  });
}

describe('the life of a computation', () => {
  it('starts only what is not here and stops only what is', () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 30 }), (inputs) => {
        for (const { before, act, after } of live(inputs)) {
          if (act === 'start') expect([before, after]).toEqual([undefined, 'starting']);
          if (act === 'stop') expect(['starting', 'running']).toContain(before);
        }
      }),
    );
  });

  it('answers each stop exactly once, unless one is under way', () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 30 }), (inputs) => {
        const told = live(inputs);
        const replies = told.flatMap(({ say }) => say.filter(({ kind }) => kind === 'stopReply'));
        const stops = told.filter(
          ({ input: { kind }, before }) => kind === 'stopRequested' && before !== 'stopping',
        );
        const open = told.at(-1)?.after === 'stopping' ? 1 : 0;
        expect(replies).toHaveLength(stops.length - open);
      }),
    );
  });

  it('says nothing of a guest that is stopping or gone', () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 30 }), (inputs) => {
        for (const { input: given, before, say } of live(inputs)) {
          const report = given.kind === 'agent' || given.kind === 'log';
          if (report && before !== 'starting' && before !== 'running') expect(say).toEqual([]);
        }
      }),
    );
  });

  it('a guest that cannot be stopped can be stopped again', () => {
    const [, , , failed, again] = live([
      { kind: 'requested' },
      { kind: 'started', port: '6100' },
      { kind: 'stopRequested' },
      { kind: 'stopFailed', reason: 'stuck' },
      { kind: 'stopRequested' },
    ]);
    expect(failed?.say).toContainEqual({ kind: 'stopReply', problem: 'stuck' });
    expect(again?.act).toBe('stop');
  });
});
