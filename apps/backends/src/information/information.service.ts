import type { ClientMessage } from '@glacis/grpc';
import { problems, type Caller } from '@glacis/http';
import { LOGGER, type Logger } from '@glacis/observability';
import { Store } from '@glacis/store';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { askerOf } from '../commands/asker.js';
import { Commands, type Wish } from '../commands/commands.service.js';
import { Journal } from '../journal.js';
import { asProblem, cannotBeAsked } from '../problems.js';
import type { LiveStream } from '../streams/live-stream.js';
import { OpenQuestions } from '../streams/open-questions.js';
import { StreamFinder } from '../streams/stream-finder.js';
import { informationOf, saveInformation } from './information.store.js';
import { parseLosslessly } from './lossless-json.js';

type Answer = Extract<ClientMessage, { kind: 'information' }>['value'];

const MAX_BYTES = 1024 * 1024;

/**
 * What a host says of itself when asked (`backends.md` 7). It is asked only on a user's explicit wish, since a v0.3
 * manager runs a privileged program for it.
 */
@Injectable()
export class InformationService implements OnModuleInit {
  private readonly questions = new OpenQuestions();

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(StreamFinder) private readonly streams: StreamFinder,
    @Inject(Commands) private readonly commands: Commands,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    this.commands.handle('information', (wish) => this.askHere(wish));
  }

  /** @throws {Problem} 404 when the backend never told anything */
  async get(backendId: string): Promise<unknown> {
    const document = await informationOf(this.store, backendId);
    if (document === undefined) throw problems.notFound('no information of this backend yet');
    return document;
  }

  /** @throws {Problem} 409 when the backend is not connected or its dialect has no such request */
  async ask(caller: Caller, backendId: string): Promise<void> {
    const asker = askerOf(caller);
    await this.commands.carryOut('information', { backendId, asker }).catch(asProblem);
  }

  private async askHere({ backendId, asker }: Wish): Promise<void> {
    const stream = await this.streams.of(backendId);
    const able = !stream.ambiguous && stream.dialect.sends.has('informationRequest');
    await this.journal.note({
      audit: [
        {
          actor: asker.actor,
          tenant: stream.facts.tenant,
          action: 'backend.information.request',
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
    if (!able) throw cannotBeAsked(`managers of dialect ${stream.dialect.name} cannot be asked`);
    const id = this.questions.ask(stream);
    // Not waited for: a client that does not read would keep whoever asks.
    void stream.call.write(
      stream.dialect.encodeServer({ kind: 'informationRequest', value: { id } }),
    );
  }

  /** Takes the answer to the request that is open on the stream; anything else is dropped. */
  async heard(stream: LiveStream, answer: Answer): Promise<void> {
    if (!this.questions.settle(stream, answer.id)) return;
    try {
      await saveInformation(this.store, stream.facts, documentOf(answer.info), stream.lastHeard);
    } catch (error) {
      this.logger.warn({ err: error, backend: stream.facts.backendId }, 'information not kept');
    }
  }
}

/** The document as it is kept: what is no JSON, too long or not storable as JSON stays readable as base64. */
function documentOf(info: Buffer): unknown {
  const raw = { raw: info.subarray(0, MAX_BYTES).toString('base64') };
  const text = info.toString();
  if (info.length > MAX_BYTES || text.includes('\\u0000')) return raw;
  try {
    const document = parseLosslessly(text);
    // Half of a surrogate pair, which is written as an escape, is no text for a database.
    return /\\ud[89a-f]/.test(JSON.stringify(document)) ? raw : document;
  } catch {
    return raw;
  }
}
