import { createHash } from 'node:crypto';
import { CallerParam, Operation, type Caller } from '@glacis/http';
import { Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import { BackendReader } from '../backends/backend-reader.js';
import { AgentEvidence } from './agent-evidence.service.js';
import { AgentStates } from './agent-states.service.js';
import type { Evidence } from './agents.store.js';

const stateReply = z.object({ state: z.string(), received_at: z.iso.datetime() });
const evidenceReply = z.object({
  verdict: z.literal('unverified'),
  freshness: z.literal('none'),
  evidence: z.array(
    z.object({
      kind: z.enum(['vtpm', 'azure']),
      file: z.base64(),
      sha256: z.string(),
      claimed_serial: z.string(),
      certificate_serial: z.string(),
      received_at: z.iso.datetime(),
    }),
  ),
});

/** What agents of confidential VMs tell of themselves. */
@Controller('backends/:id')
export class AgentsController {
  constructor(
    @Inject(AgentStates) private readonly states: AgentStates,
    @Inject(AgentEvidence) private readonly evidence: AgentEvidence,
    @Inject(BackendReader) private readonly backends: BackendReader,
  ) {}

  @Get('state')
  @Operation({
    access: 'member',
    summary: 'Show the state that the agent of a confidential VM last told',
    reply: stateReply,
    errors: ['not-found'],
  })
  async state(@CallerParam() caller: Caller, @Param('id') id: string): Promise<unknown> {
    await this.backends.get(caller.tenant, id);
    const { state, receivedAt } = await this.states.get(id);
    return { state, received_at: receivedAt };
  }

  @Post('state')
  @HttpCode(202)
  @Operation({
    access: 'member',
    summary: 'Ask the connected agent of a confidential VM for its state',
    status: 202,
    errors: ['not-found', 'not-connected', 'dialect-cannot'],
  })
  async askState(@CallerParam() caller: Caller, @Param('id') id: string): Promise<void> {
    await this.backends.get(caller.tenant, id);
    await this.states.ask(caller, id);
  }

  @Get('evidence')
  @Operation({
    access: 'member',
    summary: 'Show the evidence that the agent of a confidential VM sent; nobody has verified it',
    reply: evidenceReply,
    errors: ['not-found'],
  })
  async showEvidence(@CallerParam() caller: Caller, @Param('id') id: string): Promise<unknown> {
    await this.backends.get(caller.tenant, id);
    const evidence = await this.evidence.of(id);
    return { verdict: 'unverified', freshness: 'none', evidence: evidence.map(evidenceJson) };
  }
}

function evidenceJson({ kind, file, claimedSerial, serial, receivedAt }: Evidence): unknown {
  return {
    kind,
    file: file.toString('base64'),
    sha256: createHash('sha256').update(file).digest('hex'),
    claimed_serial: claimedSerial,
    certificate_serial: serial,
    received_at: receivedAt,
  };
}
