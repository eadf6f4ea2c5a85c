import { pageOf, type Queryable, type Tx } from '@glacis/store';

export type VmState = 'creating' | 'running' | 'uncertain';

/** An attempt to have a VM made, and what became of it. */
export interface Vm {
  /** The backend that the VM is to us. */
  id: string;
  hostId: string;
  tenant: string;
  state: VmState;
  /** What its manager calls it, and the port of the host that leads to its agent; null until it has answered. */
  cvmId: string | null;
  forwardedPort: string | null;
  attemptedAt: Date;
  /** When it is gone at the latest; null: it has no end. */
  expiresAt: Date | null;
}

const columns = `v.backend_id AS id, v.host_id AS "hostId", v.tenant_id AS tenant, v.state,
  v.cvm_id AS "cvmId", v.forwarded_port AS "forwardedPort", v.attempted_at AS "attemptedAt",
  v.expires_at AS "expiresAt"`;
const present = 'vms v JOIN backends b ON b.id = v.backend_id AND b.deleting_at IS NULL';

type Attempt = Pick<Vm, 'id' | 'hostId' | 'tenant' | 'attemptedAt' | 'expiresAt'>;

export async function insertVm(tx: Tx, vm: Attempt): Promise<void> {
  await tx.query(
    `INSERT INTO vms (backend_id, host_id, tenant_id, state, attempted_at, expires_at)
     VALUES ($1, $2, $3, 'creating', $4, $5)`,
    [vm.id, vm.hostId, vm.tenant, vm.attemptedAt, vm.expiresAt],
  );
}

/** What a manager has answered, however late. */
export async function markRunning(
  db: Queryable,
  id: string,
  { cvmId, forwardedPort }: { cvmId: string; forwardedPort: string },
): Promise<void> {
  await db.query(
    `UPDATE vms SET state = 'running', cvm_id = $2, forwarded_port = $3 WHERE backend_id = $1`,
    [id, cvmId, forwardedPort],
  );
}

export async function markUncertain(db: Queryable, id: string): Promise<void> {
  await db.query(
    `UPDATE vms SET state = 'uncertain' WHERE backend_id = $1 AND state = 'creating'`,
    [id],
  );
}

/** Attempts from before `at` of which nobody has heard: their replica has died. */
export async function markLostUncertain(db: Queryable, at: Date): Promise<void> {
  await db.query(
    `UPDATE vms SET state = 'uncertain' WHERE state = 'creating' AND attempted_at < $1`,
    [at],
  );
}

export async function vmOf(db: Queryable, hostId: string, id: string): Promise<Vm | undefined> {
  const [row] = await db.query<Vm>(
    `SELECT ${columns} FROM ${present} WHERE v.backend_id = $1 AND v.host_id = $2`,
    [id, hostId],
  );
  return row;
}

export async function listVms(
  db: Queryable,
  hostId: string,
  page: { limit: number; offset: number },
): Promise<{ total: number; vms: Vm[] }> {
  const from = `${present} WHERE v.host_id = $1`;
  const list = { select: columns, from, orderBy: 'v.attempted_at DESC, v.backend_id' };
  const { total, rows: vms } = await pageOf<Vm>(db, list, [hostId], page);
  return { total, vms };
}

/** VMs whose time is over. */
export function expiredVms(db: Queryable, now: Date): Promise<Vm[]> {
  return db.query<Vm>(
    `SELECT ${columns} FROM ${present} WHERE v.expires_at < $1 ORDER BY v.expires_at LIMIT 100`,
    [now],
  );
}
