import { LOGGER, type Logger } from '@glacis/observability';
import { CLOCK, Loop, systemClock, type Clock } from '@glacis/runtime';
import { Store } from '@glacis/store';
import {
  Inject,
  Injectable,
  Optional,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../settings.js';
import { purgeTokens } from './tokens.store.js';

const intervalMs = 3_600_000;

/** Forgets tokens some time after their end. Services are given one each few minutes. */
@Injectable()
export class ExpiredTokens implements OnModuleInit, OnModuleDestroy {
  private readonly loop: Loop;

  constructor(
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
    @Inject(Store) private readonly store: Store,
    @Inject(LOGGER) logger: Logger,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {
    this.loop = new Loop({
      name: 'expired tokens',
      intervalMs,
      run: () => this.purge(),
      onError: (error) => logger.warn({ err: error }, 'expired tokens not removed'),
    });
  }

  onModuleInit(): void {
    this.loop.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.loop.stop();
  }

  purge(): Promise<void> {
    const endedBefore = new Date(this.clock.now().getTime() - this.settings.tokenRetention);
    return purgeTokens(this.store, endedBefore);
  }
}
