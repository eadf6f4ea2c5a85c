import type { ClientMessage } from '@glacis/grpc';
import { Inject, Injectable } from '@nestjs/common';
import type { LiveStream } from '../streams/live-stream.js';
import { AgentEvidence } from './agent-evidence.service.js';
import { AgentStates } from './agent-states.service.js';

type Report = Extract<ClientMessage, { kind: 'agentState' | 'vtpmEvidence' | 'azureEvidence' }>;

/** What an agent tells of itself. */
@Injectable()
export class AgentReports {
  constructor(
    @Inject(AgentStates) private readonly states: AgentStates,
    @Inject(AgentEvidence) private readonly evidence: AgentEvidence,
  ) {}

  heard(stream: LiveStream, message: Report, bytes: number): void {
    if (message.kind === 'agentState') void this.states.heard(stream, message.value);
    else void this.evidence.heard(stream, message, bytes);
  }
}
