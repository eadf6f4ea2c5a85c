import type { RunReply } from '@glacis/contracts';
import { decodeRun, extrasOf, RpcError, status, type ComputationRun } from '@glacis/grpc';
import type { AuditEntry } from '@glacis/identity';
import { newId } from '@glacis/runtime';
import { Store, type Tx } from '@glacis/store';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { Asker, Wisher } from '../commands/asker.js';
import { Commands, type Wish } from '../commands/commands.service.js';
import { Journal } from '../journal.js';
import type { LiveStream } from '../streams/live-stream.js';
import type { BackendsSettings } from '../settings.js';
import { agents } from '../streams/stream-family.js';
import { StreamFinder } from '../streams/stream-finder.js';
import { SETTINGS } from '../tokens.js';
import { faultOf, faultOfId } from './check-run.js';
import { refusedBroker } from './kbs-hosts.js';
import type { RunRefusal } from './run-queue.js';
import { RunQueues } from './run-queues.js';
import { deleteRun, insertRun, isSuperseded, listRuns, wasSent } from './runs.store.js';

/** What is asked, and of which computation. */
type Errand = readonly [action: string, computationId: string];

/** A single run request must fit one message of 4 MiB with its frame. */
const MAX_SINGLE_BYTES = 4 * 1024 * 1024 - 1024;

const refusals: Record<RunRefusal, [status, string]> = {
  'dialect-ambiguous': [
    status.FAILED_PRECONDITION,
    'the manager may speak v0.2 or v0.3: pin the protocol of the backend',
  ],
  'one-run-per-stream': [
    status.FAILED_PRECONDITION,
    'a v0.3 manager takes one run per connection; it must reconnect first',
  ],
  'queue-full': [status.RESOURCE_EXHAUSTED, 'too many runs wait for this manager'],
};

/** Sends runs and stops to managers and agents (`backends.md` 4.8). */
@Injectable()
export class RunsService implements OnModuleInit {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(StreamFinder) private readonly streams: StreamFinder,
    @Inject(Commands) private readonly commands: Commands,
    @Inject(RunQueues) private readonly queues: RunQueues,
    @Inject(SETTINGS) private readonly settings: BackendsSettings,
  ) {}

  onModuleInit(): void {
    this.commands.handle('run', (wish) => this.runHere(wish));
    this.commands.handle('stop', (wish) => this.stopHere(wish));
  }

  /** Whose wish it is stands in the audit trail before what the holder makes of it, and where there is no holder. */
  async run(wisher: Wisher, backendId: string, payload: Buffer): Promise<RunReply> {
    const { id } = checkedRun(payload);
    const asker = await this.noteWish(wisher, backendId, ['backend.run.request', id]);
    return (await this.commands.carryOut('run', { backendId, asker, payload })) as RunReply;
  }

  /** The same of a stop. */
  async stop(wisher: Wisher, backendId: string, computationId: string): Promise<void> {
    checkId(computationId);
    const asker = await this.noteWish(wisher, backendId, ['backend.stop.request', computationId]);
    const payload = Buffer.from(computationId);
    await this.commands.carryOut('stop', { backendId, asker, payload });
  }

  private async noteWish(
    { tenant, ...asker }: Wisher,
    backendId: string,
    [action, id]: Errand,
  ): Promise<Asker> {
    const detail = { computation_id: id };
    await this.journal.note({ audit: [{ ...asker, tenant, action, subject: backendId, detail }] });
    return asker;
  }

  private async runHere({ backendId, asker, payload }: Required<Wish>): Promise<RunReply> {
    const run = decodeRun(payload);
    const stream = await this.streams.of(backendId);
    const audit = auditOf(stream, asker, ['backend.run', run.id]);
    return this.telling(audit, async () => {
      const queue = this.queues.of(stream);
      checkSize(stream, run);
      checkExtras(stream, run);
      this.checkBrokers(stream, run);
      const bytes = payload.length;
      const refusal = queue.reserve(bytes);
      if (refusal) throw new RpcError(refusals[refusal][0], refusal, refusals[refusal][1]);
      try {
        const row = recordOf(stream, run);
        await this.record(audit('accepted'), async (tx) => {
          if (!(await insertRun(tx, row))) throw notConnected();
        });
        if (stream.call.ended) throw notConnected();
        return { accepted: true, queuePosition: queue.add({ id: row.id, run, bytes }) };
      } catch (error) {
        queue.release(bytes);
        throw error;
      }
    });
  }

  private async stopHere({ backendId, asker, payload }: Required<Wish>): Promise<void> {
    const computationId = payload.toString();
    const stream = await this.streams.of(backendId);
    const queue = this.queues.of(stream);
    const waiting = queue.cancel(computationId);
    if (waiting) {
      const cancelled = auditOf(stream, asker, ['backend.run.cancel', computationId]);
      return this.record(cancelled('accepted'), (tx) => deleteRun(tx, waiting.id)).catch(
        (error: unknown) => {
          queue.putBack(waiting);
          throw error;
        },
      );
    }
    const audit = auditOf(stream, asker, ['backend.stop', computationId]);
    await this.telling(audit, async () => {
      await this.checkStop(stream, computationId);
      await this.record(audit('accepted'));
      queue.stop(computationId);
    });
  }

  private checkBrokers({ facts }: LiveStream, run: ComputationRun): void {
    const refused = refusedBroker(run, this.settings.kbsHosts[facts.tenant] ?? []);
    if (refused === undefined) return;
    const text = `the key broker '${refused}' is not one of the tenant's`;
    throw new RpcError(status.FAILED_PRECONDITION, 'kbs-host-not-allowed', text);
  }

  /** The runs of a backend, newest first; those of streams that ended before they were sent are not kept. */
  list(backendId: string, page: { offset: number; limit: number }): ReturnType<typeof listRuns> {
    return listRuns(this.store, backendId, page);
  }

  private async checkStop(stream: LiveStream, computationId: string): Promise<void> {
    const sent =
      this.queues.of(stream).isSending(computationId) ||
      (await wasSent(this.store, stream.facts, computationId));
    if (!sent) throw new RpcError(status.NOT_FOUND, 'not-found', 'no such run on this backend');
    // An agent stops whatever it runs, whichever id it is told.
    const ofAgent = stream.call.family === agents;
    if (ofAgent && (await isSuperseded(this.store, stream.facts, computationId))) {
      throw new RpcError(status.NOT_FOUND, 'not-found', 'the agent has taken another run since');
    }
    if (stream.ambiguous || !stream.dialect.sends.has('stop')) {
      throw new RpcError(
        status.FAILED_PRECONDITION,
        'dialect-cannot',
        'the dialect of the manager has no stop, or is not known yet',
      );
    }
  }

  /** Notes what is refused, too. */
  private async telling<T>(audit: AuditOf, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof RpcError) {
        await this.journal.note({ audit: [audit(error.reason)] });
      }
      throw error;
    }
  }

  private record(entry: AuditEntry, effect?: (tx: Tx) => Promise<void>): Promise<void> {
    return this.store.transaction(async (tx) => {
      await effect?.(tx);
      await this.journal.write(tx, { audit: [entry] });
    });
  }
}

/** The entry of an errand, by what became of it. */
type AuditOf = (result: string) => AuditEntry;

function auditOf({ facts }: LiveStream, asker: Asker, [action, id]: Errand): AuditOf {
  const { tenant, backendId, streamId, serial } = facts;
  return (result) => ({
    ...asker,
    tenant,
    action,
    subject: backendId,
    detail: { computation_id: id, stream_id: streamId, serial, result },
  });
}

function notConnected(): RpcError {
  return new RpcError(
    status.FAILED_PRECONDITION,
    'not-connected',
    'the backend has just disconnected',
  );
}

function checkId(computationId: string): void {
  const fault = faultOfId(computationId);
  if (fault !== undefined) throw new RpcError(status.INVALID_ARGUMENT, 'malformed', fault);
}

function checkedRun(encoded: Buffer): ComputationRun {
  let run: ComputationRun;
  try {
    run = decodeRun(encoded);
  } catch (cause) {
    throw new RpcError(status.INVALID_ARGUMENT, 'malformed', 'no run request', { cause });
  }
  const fault = faultOf(run);
  if (fault !== undefined) throw new RpcError(status.INVALID_ARGUMENT, 'malformed', fault);
  return run;
}

function checkSize(stream: LiveStream, run: ComputationRun): void {
  if (stream.dialect.sends.has('runChunk')) return;
  const [message] = stream.dialect.encodeRun(run);
  if ((message?.length ?? 0) <= MAX_SINGLE_BYTES) return;
  const text = `the run is too long for the dialect ${stream.dialect.name}`;
  throw new RpcError(status.INVALID_ARGUMENT, 'malformed', text);
}

/** A client would drop silently what its version does not know. */
function checkExtras({ dialect }: LiveStream, run: ComputationRun): void {
  const unknown = extrasOf(run).find((extra) => !dialect.runExtras.has(extra));
  if (unknown === undefined) return;
  const text = `clients that speak ${dialect.name} know no ${unknown}`;
  throw new RpcError(status.FAILED_PRECONDITION, 'dialect-cannot', text);
}

function recordOf(stream: LiveStream, run: ComputationRun): Parameters<typeof insertRun>[1] {
  const { backendId, streamId, instance } = stream.facts;
  return { id: newId(), backendId, computationId: run.id, streamId, instance, at: new Date() };
}
