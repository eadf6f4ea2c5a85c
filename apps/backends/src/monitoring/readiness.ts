import { Health } from '@glacis/observability';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { InternalPort } from '../rpc/internal-port.js';
import { LiveStreams } from '../streams/live-streams.js';
import { AgentListener, ManagerListener } from '../streams/stream-listener.js';

/** What the service needs in order to serve (`backends.md` 13). */
@Injectable()
export class Readiness {
  constructor(
    @Inject(Health) health: Health,
    @Inject(Store) store: Store,
    @Inject(ManagerListener) managers: ManagerListener,
    @Inject(AgentListener) agents: AgentListener,
    @Inject(InternalPort) internal: InternalPort,
    @Inject(LiveStreams) live: LiveStreams,
  ) {
    health.add('backends database', () => store.ping());
    for (const [name, listener] of [
      ['backends manager stream', managers],
      ['backends agent stream', agents],
    ] as const) {
      health.add(name, () => {
        if (!live.accepting) throw new Error('shutting down');
        if (listener.port === undefined) throw new Error('no server certificate yet');
      });
    }
    health.add('backends internal port', () => {
      if (!internal.isReady) throw new Error('no server certificate yet');
    });
  }
}
