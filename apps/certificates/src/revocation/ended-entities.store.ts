import type { Queryable } from '@glacis/store';

/** An entity that certificates may be for. */
export interface Entity {
  tenant: string;
  entityType: string;
  entityId: string;
}

/** An issue takes less than this from its check of the entity to its row; ids are never used again. */
const keptMs = 24 * 3_600_000;

/**
 * Remembers that an entity is gone, so that an issue that has seen it before writes nothing after its revocation. In a
 * transaction that holds `lockRevocations`.
 */
export async function markEnded(db: Queryable, entity: Entity, now: Date): Promise<void> {
  await db.query(
    `INSERT INTO ended_entities (tenant_id, entity_type, entity_id, ended_at)
     VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
    [entity.tenant, entity.entityType, entity.entityId, now],
  );
}

export async function purgeEnded(db: Queryable, now: Date): Promise<void> {
  await db.query(`DELETE FROM ended_entities WHERE ended_at < $1`, [
    new Date(now.getTime() - keptMs),
  ]);
}
