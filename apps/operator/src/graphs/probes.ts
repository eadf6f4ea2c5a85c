import type { FlowState } from '@glacis/graphs';
import type { Clock } from '@glacis/runtime';
import { messageOf } from './failures.js';
import type { Judgement } from './states.js';

export interface ProbesOptions {
  /** Milliseconds for which a good answer holds; others hold for `againMs` at most. */
  freshMs: number;
  /** Told of the graph whose flow is in another state than before. */
  onChange: (graphKey: string) => void;
  clock: Clock;
}

interface Answer {
  judgement: Judgement<FlowState>;
  at: number;
}

/** Milliseconds for which an answer holds that is not good. */
export const againMs = 5_000;

/** Checks at work at once. */
const limit = 16;

/**
 * States of flows that only a call over the network can tell. It is made beside the work: whoever asks gets the last
 * answer, and hears when there is another one.
 */
export class Probes {
  private readonly answers = new Map<string, Map<string, Answer>>();
  private readonly waiting: (() => Promise<void>)[] = [];
  private readonly asked = new Set<string>();
  private working = 0;

  constructor(private readonly options: ProbesOptions) {}

  /** @param graphKey of its graph */
  stateOf(
    graphKey: string,
    flow: string,
    check: () => Promise<Judgement<FlowState>>,
  ): Judgement<FlowState> {
    const answer = this.answers.get(graphKey)?.get(flow);
    const isGood = answer?.judgement.state === 'normal';
    const holdsMs = isGood ? this.options.freshMs : Math.min(againMs, this.options.freshMs);
    const age = this.options.clock.now().getTime() - (answer?.at ?? -Infinity);
    if (age >= holdsMs) this.ask(graphKey, flow, check);
    return answer?.judgement ?? { state: 'unknown', message: 'not checked yet' };
  }

  /** Of a graph that is gone. */
  forget(graphKey: string): void {
    this.answers.delete(graphKey);
  }

  private ask(graphKey: string, flow: string, check: () => Promise<Judgement<FlowState>>): void {
    const id = `${graphKey} ${flow}`;
    if (this.asked.has(id)) return;
    this.asked.add(id);
    this.waiting.push(async () => {
      const judgement = await check().catch((error: unknown) => ({
        state: 'error' as const,
        message: messageOf(error),
      }));
      this.asked.delete(id);
      this.answered(graphKey, flow, judgement);
    });
    this.pump();
  }

  private pump(): void {
    while (this.working < limit) {
      const next = this.waiting.shift();
      if (!next) return;
      this.working += 1;
      void next().finally(() => {
        this.working -= 1;
        this.pump();
      });
    }
  }

  private answered(graphKey: string, flow: string, judgement: Judgement<FlowState>): void {
    const flows = this.answers.get(graphKey) ?? new Map<string, Answer>();
    const before = flows.get(flow)?.judgement;
    flows.set(flow, { judgement, at: this.options.clock.now().getTime() });
    this.answers.set(graphKey, flows);
    const same = before?.state === judgement.state && before.message === judgement.message;
    if (!same) this.options.onChange(graphKey);
  }
}
