import type { TLSSocket } from 'node:tls';
import { enrolRequest, report } from '@glacis/contracts';
import { leaveBodies, malformedBy, problems } from '@glacis/http';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Agent } from './agent.entity.js';
import { hearAgent } from './agents.store.js';
import { Enrolment, fingerprintOf } from './enrolment.js';
import { Lookups } from './lookups.js';
import { Objects } from './objects.js';
import { wrongParty } from './problems.js';
import { Work } from './work.js';

/** Seconds that an agent may wait for work in one request. */
const longestWait = 30;

const query = z.object({
  wait: z.coerce.number().min(0).max(longestWait).default(0),
  party: z.coerce.number().int().optional(),
});

const checked = <T>(schema: z.ZodType<T>, value: unknown): T => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw malformedBy(result.error);
};

/** `/agents/*` (jobs.md 10.2). The certificate tells who calls; only enrolment works without one. */
@Injectable()
export class AgentRoutes {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(Enrolment) private readonly enrolment: Enrolment,
    @Inject(Work) private readonly work: Work,
    @Inject(Lookups) private readonly lookups: Lookups,
    @Inject(Objects) private readonly objects: Objects,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @param ending fires when the listener closes: nobody waits for work any longer */
  add(app: FastifyInstance, ending: AbortSignal): void {
    const { enrolment, lookups, work } = this;
    app.post('/agents/enrol', (request, reply) => {
      reply.code(201);
      return enrolment.enrol(checked(enrolRequest, request.body));
    });
    app.get('/agents/work', (request, reply) => this.sendWork(request, reply, ending));
    app.post('/agents/reports', (request, reply) => {
      reply.code(204);
      return this.asAgent(request, (agent) => work.report(agent, checked(report, request.body)));
    });
    app.get('/agents/peers', (request) => this.asAgent(request, (agent) => lookups.peers(agent)));
    app.get('/agents/inputs', (request) => this.asAgent(request, (agent) => lookups.inputs(agent)));
    app.get('/agents/output', (request) => this.asAgent(request, () => lookups.output()));
    app.get('/agents/objects/:index', this.sendObject.bind(this));
    app.register((scope, _options, done) => {
      leaveBodies(scope);
      const bodyLimit = Number.MAX_SAFE_INTEGER;
      scope.put('/agents/output/result', { bodyLimit }, this.storeResult.bind(this));
      done();
    });
  }

  private async sendWork(
    request: FastifyRequest,
    reply: FastifyReply,
    ending: AbortSignal,
  ): Promise<FastifyReply> {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const agent = await this.callerOf(request);
    const waitMs = checked(query, request.query).wait * 1_000;
    const found = await this.work.next(agent, waitMs, AbortSignal.any([ending, gone.signal]));
    return found === undefined ? reply.code(204).send() : reply.send(found);
  }

  private async storeResult(request: FastifyRequest): Promise<{ sha256: string }> {
    const agent = await this.callerOf(request);
    const sha256 = await this.objects.put(await this.lookups.resultObject(agent), request.raw);
    return { sha256 };
  }

  private async sendObject(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const agent = await this.callerOf(request);
    const { index } = request.params as { index: string };
    const pin = await this.lookups.object(agent, Number(index));
    if (pin === undefined) throw problems.notFound();
    const { size, stream } = await this.objects.open(pin);
    return reply
      .header('content-type', 'application/octet-stream')
      .header('content-length', size)
      .send(stream);
  }

  private async asAgent<T>(
    request: FastifyRequest,
    answer: (agent: Agent) => T | Promise<T>,
  ): Promise<T> {
    return answer(await this.callerOf(request));
  }

  /** @throws Problem 401 without a certificate of a living agent, 403 where another party is named */
  private async callerOf(request: FastifyRequest): Promise<Agent> {
    const certificate = (request.raw.socket as TLSSocket).getPeerX509Certificate();
    if (certificate === undefined) throw problems.unauthenticated('no client certificate');
    const agent = await hearAgent(this.store, fingerprintOf(certificate), this.clock.now());
    if (agent === undefined) throw problems.unauthenticated('the certificate is of no live agent');
    const { party = agent.party } = checked(query, request.query);
    if (party !== agent.party) throw wrongParty();
    return agent;
  }
}
