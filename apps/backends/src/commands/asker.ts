import type { Caller } from '@glacis/http';

/** Whose wish a command is, for the audit trail of the replica that carries it out. */
export interface Asker {
  actor: string;
  tenant: string;
  requestId: string;
}

export function wishOf({ principal, tenant, requestId }: Caller): Buffer {
  const asker: Asker = { actor: principal.subject, tenant, requestId };
  return Buffer.from(JSON.stringify(asker));
}

export const askerOf = (wish: Buffer): Asker => JSON.parse(wish.toString()) as Asker;
