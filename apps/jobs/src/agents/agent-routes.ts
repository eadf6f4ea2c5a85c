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
    app.post('/agents/enrol', async (request, reply) =>
      reply.code(201).send(await this.enrolment.enrol(checked(enrolRequest, request.body))),
    );
    app.get('/agents/work', async (request, reply) => {
      const agent = await this.callerOf(request);
      const gone = new AbortController();
      request.raw.socket.once('close', () => gone.abort());
      const signal = AbortSignal.any([ending, gone.signal]);
      const { wait } = checked(query, request.query);
      const found = await this.work.next(agent, wait * 1_000, signal);
      return found === undefined ? reply.code(204).send() : reply.send(found);
    });
    app.post('/agents/reports', async (request, reply) => {
      const agent = await this.callerOf(request);
      await this.work.report(agent, checked(report, request.body));
      return reply.code(204).send();
    });
    app.get('/agents/peers', async (request) => this.lookups.peers(await this.callerOf(request)));
    app.get('/agents/inputs', async (request) => this.lookups.inputs(await this.callerOf(request)));
    app.get('/agents/output', async (request) => {
      await this.callerOf(request);
      return this.lookups.output();
    });
    this.addObjects(app);
  }

  private addObjects(app: FastifyInstance): void {
    app.get<{ Params: { index: string } }>('/agents/objects/:index', async (request, reply) =>
      this.sendObject(request, reply),
    );
    app.register((scope, _options, done) => {
      leaveBodies(scope);
      const bodyLimit = Number.MAX_SAFE_INTEGER;
      scope.put('/agents/output/result', { bodyLimit }, async (request, reply) => {
        const place = await this.lookups.resultObject(await this.callerOf(request));
        const { etag, sha256 } = await this.objects.store(place, request.raw);
        return reply.header('etag', etag).send({ sha256 });
      });
      done();
    });
  }

  private async sendObject(
    request: FastifyRequest<{ Params: { index: string } }>,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const agent = await this.callerOf(request);
    const pin = await this.lookups.object(agent, Number(request.params.index));
    if (pin === undefined) throw problems.notFound();
    const { size, stream } = await this.objects.open(pin);
    return reply
      .header('content-type', 'application/octet-stream')
      .header('content-length', size)
      .send(stream);
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
