import type { FailureClass } from '@glacis/contracts';

/** A link failed, and with it the run: both neighbours are told, nothing is resumed (jobs.md 11.10). */
export class LinkError extends Error {
  override readonly name = 'LinkError';

  constructor(
    readonly failure: Extract<FailureClass, 'protocol' | 'transient'>,
    readonly code:
      | 'protocol_desync'
      | 'hello_mismatch'
      | 'digest_mismatch'
      | 'peer_refused'
      | 'peer_aborted'
      | 'peer_lost',
    message: string,
  ) {
    super(message);
  }
}
