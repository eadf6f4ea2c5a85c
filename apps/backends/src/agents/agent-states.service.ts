import type { ClientMessage } from '@glacis/grpc';
import { problems, type Caller } from '@glacis/http';
import { LOGGER, type Logger } from '@glacis/observability';
import { Store } from '@glacis/store';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { askerOf } from '../commands/asker.js';
import { Commands, type Wish } from '../commands/commands.service.js';
import { Journal } from '../journal.js';
import { asProblem, cannotBeAsked } from '../problems.js';
import { storable } from '../runs/relayed-event.js';
import type { LiveStream } from '../streams/live-stream.js';
import { OpenQuestions } from '../streams/open-questions.js';
import { StreamFinder } from '../streams/stream-finder.js';
import { saveState, stateOf, type AgentState } from './agents.store.js';

type Answer = Extract<ClientMessage, { kind: 'agentState' }>['value'];

const MAX_STATE = 256;

/** In which state of its life cycle an agent says it is (`backends.md` 9, 10), when somebody has asked. */
@Injectable()
export class AgentStates implements OnModuleInit {
  private readonly questions = new OpenQuestions();

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(StreamFinder) private readonly streams: StreamFinder,
    @Inject(Commands) private readonly commands: Commands,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    this.commands.handle('state', (wish) => this.askHere(wish));
  }

  /** @throws {Problem} 404 when the agent never told any */
  async get(backendId: string): Promise<AgentState> {
    const state = await stateOf(this.store, backendId);
    if (state === undefined) throw problems.notFound('no state of this agent yet');
    return state;
  }

  /** @throws {Problem} 409 when the backend is not connected, or is no agent */
  async ask(caller: Caller, backendId: string): Promise<void> {
    const asker = askerOf(caller);
    await this.commands.carryOut('state', { backendId, asker }).catch(asProblem);
  }

  private async askHere({ backendId, asker }: Wish): Promise<void> {
    const stream = await this.streams.of(backendId);
    const able = stream.dialect.sends.has('stateRequest');
    await this.journal.note({
      audit: [
        {
          actor: asker.actor,
          tenant: stream.facts.tenant,
          action: 'backend.state.request',
          subject: backendId,
          requestId: asker.requestId,
          detail: {
            stream_id: stream.facts.streamId,
            serial: stream.facts.serial,
            result: able ? 'accepted' : 'dialect-cannot',
          },
        },
      ],
    });
    if (!able) throw cannotBeAsked('only agents of confidential VMs tell a state');
    const value = { id: this.questions.ask(stream) };
    // Not waited for: a client that does not read would keep whoever asks.
    void stream.call.write(stream.dialect.encodeServer({ kind: 'stateRequest', value }));
  }

  /** Takes the answer to the request that is open on the stream; anything else is dropped. */
  async heard(stream: LiveStream, answer: Answer): Promise<void> {
    if (!this.questions.settle(stream, answer.id)) return;
    const state = storable(answer.state).slice(0, MAX_STATE);
    try {
      await saveState(this.store, stream.facts, { state, receivedAt: stream.lastHeard });
    } catch (error) {
      this.logger.warn({ err: error, backend: stream.facts.backendId }, 'agent state not kept');
    }
  }
}
