import { status } from '@glacis/grpc';

/** How a stream ended. */
export interface StreamEnd {
  /** Text of the Terminate that came before, if one did. */
  terminated?: string;
  code: status;
  details: string;
  /** Milliseconds from the opening to the end; 0 when it never opened. */
  livedMs: number;
}

export type AfterEnd = 'terminated' | 'refused' | 'retry' | 'give-up';

/** What follows on the end of the stream that was in use (`backends.md` 14). */
export function afterEnd(end: StreamEnd, reconnect: boolean): AfterEnd {
  if (end.terminated !== undefined) return 'terminated';
  if (end.code === status.UNAUTHENTICATED) return 'refused';
  return reconnect ? 'retry' : 'give-up';
}
