import { once } from 'node:events';
import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Agent as Connections, request as httpsRequest } from 'node:https';
import { text as textOf } from 'node:stream/consumers';
import type {
  AgentConfig,
  EnrolReply,
  Instruction,
  InstructionStep,
  Report,
} from '@glacis/contracts';
import { bareCsr, generateKeys, privateKeyPem, toPem } from '@glacis/pki';
import type {
  ComputeProvider,
  Instance,
  InstanceRef,
  NewInstance,
} from '../src/compute/compute-provider.js';

/** What an agent of the script answers to an instruction; `hang`: nothing, and it falls silent. */
export type Answer = Partial<Report> | 'hang' | 'die';
export type Script = (
  step: InstructionStep,
  at: { party: number; attempt: number; body: Instruction['body'] },
) => Answer | Promise<Answer>;

const digest = `sha256:${'0'.repeat(64)}`;

/** What each step says when all is well. */
export const well: Script = (step, { party, body }) => {
  const results: Partial<Record<InstructionStep, unknown>> = {
    keys: { seal_key: randomBytes(32).toString('base64url') },
    deploy: {
      plan_hash: digest,
      query_hash: 'facts' in body ? body.facts.query_sql : digest,
      schema_hash: digest,
      engine: digest,
      address: { host: '127.0.0.1', port: 1024 + party },
    },
    inputs: { sets: [] },
    run: { slots: 1, rounds: 1, bytes_sent: 1 },
  };
  return { status: 'done', result: results[step] ?? {} };
};

interface Running {
  instance: Instance;
  control: AbortController;
}

/** Agents within this process that speak the protocol of 10.2 and do as a script says. */
export class ScriptedCompute implements ComputeProvider {
  readonly driver = 'local';
  readonly running = new Map<string, Running>();
  /** Instances started so far, and how many there were of one party and attempt at once at most. */
  started = 0;
  mostAtOnce = 0;

  /** So many looks at instances find that they are starting. */
  startingLooks = 0;

  constructor(public script: Script = well) {}

  async ensureInstance(order: NewInstance): Promise<Instance> {
    const { runId, tags } = order;
    const instance: Instance = { ref: { run: runId }, tags, runId, state: 'up' };
    const control = new AbortController();
    this.running.set(runId, { instance, control });
    this.started += 1;
    const same = [...this.running.values()].filter(
      ({ instance: { tags: other } }) =>
        other.job === tags.job && other.party === tags.party && other.attempt === tags.attempt,
    );
    this.mostAtOnce = Math.max(this.mostAtOnce, same.length);
    void this.live(order, control.signal).catch(() => this.running.delete(runId));
    return instance;
  }

  async describe({ run }: InstanceRef): Promise<Instance | undefined> {
    const found = this.running.get(String(run))?.instance;
    if (found === undefined || this.startingLooks === 0) return found;
    this.startingLooks -= 1;
    return { ...found, state: 'starting' };
  }

  async terminate({ run }: InstanceRef): Promise<void> {
    this.running.get(String(run))?.control.abort();
    this.running.delete(String(run));
  }

  async listByTag(): Promise<Instance[]> {
    return [...this.running.values()].map(({ instance }) => instance);
  }

  async forget(): Promise<void> {}

  price(): null {
    return null;
  }

  private async live({ token, config, tags }: NewInstance, signal: AbortSignal): Promise<void> {
    const { privateKey } = await generateKeys('ECDSA-P256');
    const csr = toPem('CERTIFICATE REQUEST', bareCsr(privateKey));
    const mac_key = randomBytes(32).toString('base64url');
    const first = new Caller(config, {}, signal);
    const { chain } = (await first.call('POST', 'enrol', { token, csr, mac_key })) as EnrolReply;
    const own = { key: privateKeyPem(privateKey), cert: chain.join('') };
    const caller = new Caller(config, own, signal);
    for (;;) {
      const work = (await caller.call('GET', 'work?wait=20')) as Instruction | undefined;
      if (work === undefined) continue;
      const { party, attempt } = tags;
      const answer = await this.script(work.step, { party, attempt, body: work.body });
      if (answer === 'die') throw new Error('as the script says');
      if (answer === 'hang') return once(signal, 'abort').then(() => undefined);
      const report = { id: randomUUID(), instruction: work.id, ...answer };
      await caller.call('POST', 'reports', report);
    }
  }
}

class Caller {
  private readonly agent: Connections;

  constructor(
    private readonly config: AgentConfig,
    own: { key?: string; cert?: string },
    private readonly signal: AbortSignal,
  ) {
    this.agent = new Connections({ ...own, ca: config.coordinator_ca, keepAlive: true });
    signal.addEventListener('abort', () => this.agent.destroy());
  }

  async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const outgoing = httpsRequest(new URL(`/agents/${path}`, this.config.coordinator), {
      method,
      agent: this.agent,
      signal: this.signal,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
    }).end(body === undefined ? undefined : JSON.stringify(body));
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    const text = await textOf(incoming);
    if ((incoming.statusCode ?? 500) >= 300) throw new Error(`${path}: ${incoming.statusCode}`);
    return text ? JSON.parse(text) : undefined;
  }
}
