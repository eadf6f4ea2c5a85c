import type { Caller } from '@glacis/http';

/** Whose wish a command is, for the audit trail of the replica that carries it out. */
export interface Asker {
  actor: string;
  requestId?: string;
}

/** Who calls us over gRPC (`backends.md` 11). */
export const computations: Asker = { actor: 'computations' };

export function askerOf({ principal, requestId }: Caller): Asker {
  return { actor: principal.subject, requestId };
}
