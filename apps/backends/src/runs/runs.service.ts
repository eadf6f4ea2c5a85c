import type { RunReply } from '@glacis/contracts';
import { decodeRun, RpcError, status, type ComputationRun } from '@glacis/grpc';
import { newId } from '@glacis/runtime';
import { Store, type Tx } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { Journal } from '../journal.js';
import type { LiveStream } from '../streams/live-stream.js';
import { StreamFinder } from '../streams/stream-finder.js';
import { faultOf } from './check-run.js';
import type { RunRefusal } from './run-queue.js';
import { RunQueues } from './run-queues.js';
import { deleteRun, insertRun, wasStarted } from './runs.store.js';

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

/** Sends runs and stops to managers (`backends.md` 4.8). */
@Injectable()
export class RunsService {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(StreamFinder) private readonly streams: StreamFinder,
    @Inject(RunQueues) private readonly queues: RunQueues,
  ) {}

  async run(backendId: string, encoded: Buffer): Promise<RunReply> {
    const run = checkedRun(encoded);
    const stream = await this.streams.of(backendId);
    const queue = this.queues.of(stream);
    checkSize(stream, run);
    const refusal = queue.reserve();
    if (refusal) throw new RpcError(refusals[refusal][0], refusal, refusals[refusal][1]);
    try {
      const row = recordOf(stream, run);
      await this.record(stream, 'backend.run', run.id, (tx) => insertRun(tx, row));
      if (stream.call.ended) throw notConnected();
    } catch (error) {
      queue.release();
      throw error;
    }
    return { accepted: true, queuePosition: queue.add(run) };
  }

  async stop(backendId: string, computationId: string): Promise<void> {
    const stream = await this.streams.of(backendId);
    const queue = this.queues.of(stream);
    if (queue.cancel(computationId)) {
      await this.record(stream, 'backend.run.cancel', computationId, (tx) =>
        deleteRun(tx, stream.facts, computationId),
      );
      return;
    }
    if (!(await wasStarted(this.store, stream.facts, computationId))) {
      throw new RpcError(status.NOT_FOUND, 'not-found', 'no such run on this backend');
    }
    if (stream.ambiguous || !stream.dialect.sends.has('stop')) {
      throw new RpcError(
        status.FAILED_PRECONDITION,
        'dialect-cannot',
        'the dialect of the manager has no stop, or is not known yet',
      );
    }
    await this.record(stream, 'backend.stop', computationId, async () => undefined);
    queue.stop(computationId);
  }

  private record(
    { facts }: LiveStream,
    action: string,
    computationId: string,
    effect: (tx: Tx) => Promise<void>,
  ): Promise<void> {
    return this.store.transaction(async (tx) => {
      await effect(tx);
      const entry = {
        actor: 'computations',
        tenant: facts.tenant,
        action,
        subject: facts.backendId,
        detail: { computation_id: computationId, stream_id: facts.streamId, serial: facts.serial },
      };
      await this.journal.write(tx, { audit: [entry] });
    });
  }
}

function notConnected(): RpcError {
  return new RpcError(
    status.FAILED_PRECONDITION,
    'not-connected',
    'the backend has just disconnected',
  );
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

function recordOf(stream: LiveStream, run: ComputationRun): Parameters<typeof insertRun>[1] {
  const { backendId, streamId, instance } = stream.facts;
  return { id: newId(), backendId, computationId: run.id, streamId, instance, at: new Date() };
}
