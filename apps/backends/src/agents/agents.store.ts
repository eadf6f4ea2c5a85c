import type { Queryable } from '@glacis/store';
import type { StreamFacts } from '../streams/stream.js';

export interface AgentState {
  state: string;
  receivedAt: Date;
}

/** Keeps the latest state of an agent, as long as its VM exists. */
export async function saveState(
  db: Queryable,
  stream: Pick<StreamFacts, 'backendId' | 'streamId'>,
  { state, receivedAt }: AgentState,
): Promise<void> {
  await db.query(
    `INSERT INTO agent_states (backend_id, state, received_at, stream_id)
     SELECT id, $2, $3, $4 FROM backends WHERE id = $1
     ON CONFLICT (backend_id) DO UPDATE SET state = excluded.state,
       received_at = excluded.received_at, stream_id = excluded.stream_id`,
    [stream.backendId, state, receivedAt, stream.streamId],
  );
}

export async function stateOf(db: Queryable, backendId: string): Promise<AgentState | undefined> {
  const [row] = await db.query<AgentState>(
    'SELECT state, received_at AS "receivedAt" FROM agent_states WHERE backend_id = $1',
    [backendId],
  );
  return row;
}

export type EvidenceKind = 'vtpm' | 'azure';

export interface Evidence {
  kind: EvidenceKind;
  file: Buffer;
  /** As the agent says; `serial` is that of the certificate it came under. */
  claimedSerial: string;
  serial: string;
  receivedAt: Date;
}

/** Keeps the latest evidence of each kind. */
export async function saveEvidence(
  db: Queryable,
  stream: Pick<StreamFacts, 'backendId' | 'streamId'>,
  evidence: Evidence,
): Promise<void> {
  await db.query(
    `INSERT INTO agent_evidence (backend_id, kind, file, claimed_serial, certificate_serial,
       received_at, stream_id)
     SELECT id, $2, $3, $4, $5, $6, $7 FROM backends WHERE id = $1
     ON CONFLICT (backend_id, kind) DO UPDATE SET file = excluded.file,
       claimed_serial = excluded.claimed_serial, certificate_serial = excluded.certificate_serial,
       received_at = excluded.received_at, stream_id = excluded.stream_id
     WHERE agent_evidence.received_at <= excluded.received_at`,
    [
      stream.backendId,
      evidence.kind,
      evidence.file,
      evidence.claimedSerial,
      evidence.serial,
      evidence.receivedAt,
      stream.streamId,
    ],
  );
}

export function evidenceOf(db: Queryable, backendId: string): Promise<Evidence[]> {
  return db.query<Evidence>(
    `SELECT kind, file, claimed_serial AS "claimedSerial", certificate_serial AS serial,
       received_at AS "receivedAt"
     FROM agent_evidence WHERE backend_id = $1 ORDER BY kind`,
    [backendId],
  );
}
