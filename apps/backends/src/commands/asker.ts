import type { Caller } from '@glacis/http';

/** Whose wish a command is, for the audit trail of the replica that carries it out. */
export interface Asker {
  actor: string;
  requestId?: string;
}

/** Who calls us over gRPC (`backends.md` 11). */
export const computations: Asker = { actor: 'computations' };

/** The same with the tenant whose backend it concerns. */
export interface Wisher extends Asker {
  tenant: string;
}

export function wisherOf(caller: Caller): Wisher {
  return { ...askerOf(caller), tenant: caller.tenant };
}

export function askerOf({ principal, requestId }: Caller): Asker {
  return { actor: principal.subject, requestId };
}
