import { Broadcasts } from '@glacis/events';
import { RpcError, status } from '@glacis/grpc';
import { LOGGER, type Logger } from '@glacis/observability';
import { Bell, newId } from '@glacis/runtime';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { Replica } from '../replica.js';
import { LiveStreams } from '../streams/live-streams.js';
import { HeldElsewhereError } from '../streams/stream-finder.js';
import {
  deleteCommand,
  insertCommand,
  openCommands,
  outcomeOf,
  settleCommand,
  takeCommand,
  withdraw,
  type Command,
  type Outcome,
} from './commands.store.js';

/** Milliseconds in which the holder takes a command, and then those in which it answers. */
const PATIENCE_MS = 6_000;
/** Milliseconds between two looks for an outcome that no message has told of. */
const LOOK_MS = 250;

/** What somebody wants of a stream. */
export type Wish = Pick<Command, 'backendId' | 'asker'> & Partial<Pick<Command, 'payload'>>;

/** Carries out a command on a stream of this replica. @throws {RpcError} */
export type CommandHandler = (wish: Required<Wish>) => Promise<unknown>;

const nothing = Buffer.alloc(0);

/**
 * Commands for live streams, whichever replica holds them (`backends.md` 6). One that this replica cannot carry out is
 * recorded and told to all; the holder takes it, acts, and records the outcome. Messages only make it fast: both sides
 * look into the database as well.
 */
@Injectable()
export class Commands {
  private readonly handlers = new Map<string, CommandHandler>();
  private readonly answered = new Bell();

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(Broadcasts) private readonly broadcasts: Broadcasts,
    @Inject(LiveStreams) private readonly live: LiveStreams,
    @Inject(Replica) private readonly replica: Replica,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  handle(kind: string, handler: CommandHandler): void {
    this.handlers.set(kind, handler);
  }

  /** @throws {RpcError} the handler's, UNAVAILABLE when the holder does not answer */
  async carryOut(kind: string, { payload = nothing, ...wish }: Wish): Promise<unknown> {
    const command = { id: newId(), kind, payload, ...wish };
    try {
      return await this.here(command);
    } catch (error) {
      if (!(error instanceof HeldElsewhereError)) throw error;
    }
    const outcome = await this.ask(command);
    if ('reply' in outcome) return outcome.reply;
    throw new RpcError(outcome.code, outcome.reason, outcome.message);
  }

  /** Somebody has been answered. */
  ring(): void {
    this.answered.ring();
  }

  /** Takes a command, if the stream is here. */
  async take(id: string, backendId: string): Promise<void> {
    if (this.live.ofSlot({ backendId, connection: 'main' }).length === 0) return;
    const command = await takeCommand(this.store, id, this.replica.id);
    if (command === undefined) return;
    const outcome = await this.outcomeHere(command);
    await settleCommand(this.store, id, outcome);
    if (outcome !== null) await this.tell('backend.command.answered', command);
  }

  /** Finds commands whose message was lost. */
  async poll(): Promise<void> {
    const held = new Map(this.live.all().map(({ facts }) => [facts.backendId, facts]));
    if (held.size === 0) return;
    for (const { id, backendId } of await openCommands(this.store, [...held.keys()])) {
      await this.take(id, backendId);
    }
  }

  private async here(command: Command): Promise<unknown> {
    const { kind } = command;
    const handler = this.handlers.get(kind);
    if (handler) return handler(command);
    throw new RpcError(status.UNIMPLEMENTED, 'unimplemented', `no command is called ${kind}`);
  }

  private async outcomeHere(command: Command): Promise<Outcome | null> {
    try {
      return { reply: (await this.here(command)) ?? null };
    } catch (error) {
      if (error instanceof HeldElsewhereError) return null;
      if (error instanceof RpcError) {
        return { code: error.code, reason: error.reason, message: error.message };
      }
      const { backendId: backend, kind } = command;
      this.logger.warn({ err: error, backend, kind }, 'command failed');
      return { code: status.INTERNAL, reason: 'internal', message: 'backends failed' };
    }
  }

  private async ask(command: Command): Promise<Outcome> {
    await insertCommand(this.store, command, PATIENCE_MS);
    await this.tell('backend.command.asked', command);
    const outcome = (await this.answerTo(command)) ?? (await this.answerTo(command));
    await deleteCommand(this.store, command.id);
    return outcome ?? unknownOutcome;
  }

  /** Undefined: somebody has taken the command and has not answered yet. @throws {RpcError} nobody has it */
  private async answerTo({ id }: Command): Promise<Outcome | undefined> {
    const outcome = await this.outcomeWithin(id, PATIENCE_MS);
    if (outcome === undefined && (await withdraw(this.store, id))) throw unanswered();
    return outcome;
  }

  private async outcomeWithin(id: string, ms: number): Promise<Outcome | undefined> {
    const limit = AbortSignal.timeout(ms);
    for (;;) {
      const { count } = this.answered;
      const outcome = await outcomeOf(this.store, id);
      if (outcome !== undefined || limit.aborted) return outcome;
      await this.answered.after(count, LOOK_MS, limit);
    }
  }

  /** A message that is lost costs time, nothing else. */
  private async tell(
    type: 'backend.command.asked' | 'backend.command.answered',
    { id, backendId }: Command,
  ): Promise<void> {
    const data = { command_id: id, backend_id: backendId };
    await this.broadcasts.publish(type, backendId, data).catch((error: unknown) => {
      this.logger.warn({ err: error, command: id }, 'replicas not told of a command');
    });
  }
}

function unanswered(): RpcError {
  const text = 'the replica that holds the stream does not answer; nothing was sent';
  return new RpcError(status.UNAVAILABLE, 'held-elsewhere', text);
}

const unknownOutcome: Outcome = {
  code: status.UNAVAILABLE,
  reason: 'outcome-unknown',
  message: 'the replica that holds the stream took the command and does not answer',
};
