import type { Tx } from '@glacis/store';
import type { Entries } from '../journal.js';
import type { StreamClosing } from '../streams/stream.js';
import { deleteUnsent } from './runs.store.js';

/** Forgets the runs that were accepted for streams and not sent before their end, and gives what is told of them. */
export async function dropUnsentRuns(
  tx: Tx,
  closings: readonly StreamClosing[],
): Promise<Required<Entries>> {
  const unsent = await deleteUnsent(
    tx,
    closings.map((closing) => closing.streamId),
  );
  const dropped = closings.flatMap((closing) =>
    unsent
      .filter((run) => run.stream_id === closing.streamId)
      .map((run) => ({ closing, computationId: run.computation_id })),
  );
  return {
    events: dropped.map(({ closing, computationId }) => ({
      type: 'backend.run.dropped',
      subject: closing.backendId,
      tenant: closing.tenant,
      data: {
        backend_id: closing.backendId,
        stream_id: closing.streamId,
        computation_id: computationId,
      },
    })),
    audit: dropped.map(({ closing, computationId }) => ({
      actor: 'system',
      tenant: closing.tenant,
      action: 'backend.run.drop',
      subject: closing.backendId,
      detail: {
        computation_id: computationId,
        stream_id: closing.streamId,
        serial: closing.serial,
        result: closing.reason,
      },
    })),
  };
}
