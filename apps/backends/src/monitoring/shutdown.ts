import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { InternalPort } from '../rpc/internal-port.js';
import type { BackendsSettings } from '../settings.js';
import { endings } from '../streams/endings.js';
import { LiveStreams } from '../streams/live-streams.js';
import { AgentListener, ManagerListener } from '../streams/stream-listener.js';
import { StreamEnder } from '../streams/stream-ender.js';
import { SETTINGS } from '../tokens.js';
import { DutyLoops } from './duty-loops.js';

/** Longest pause between two streams: few streams end at once, many over the whole spread. */
const MAX_PAUSE_MS = 10;

/** Ends all streams with UNAVAILABLE and without Terminate, so that managers come back to another replica. */
@Injectable()
export class Shutdown implements BeforeApplicationShutdown {
  constructor(
    @Inject(LiveStreams) private readonly live: LiveStreams,
    @Inject(StreamEnder) private readonly ender: StreamEnder,
    @Inject(ManagerListener) private readonly managers: ManagerListener,
    @Inject(AgentListener) private readonly agents: AgentListener,
    @Inject(InternalPort) private readonly internal: InternalPort,
    @Inject(DutyLoops) private readonly duties: DutyLoops,
    @Inject(SETTINGS) private readonly settings: BackendsSettings,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    this.live.stopAccepting();
    await this.duties.stop();
    const streams = this.live.all();
    const pause = Math.min(this.settings.shutdownSpread / streams.length, MAX_PAUSE_MS);
    const ends: Promise<void>[] = [];
    for (const stream of streams) {
      ends.push(this.ender.end(stream, endings.shutdown));
      await sleep(pause);
    }
    await Promise.all(ends);
    await Promise.all([this.managers.close(), this.agents.close(), this.internal.close()]);
  }
}
