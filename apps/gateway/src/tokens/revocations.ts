import { maxLeewaySeconds, RevocationFeed, RevokedTokens } from '@glacis/identity';
import { LOGGER, type Logger } from '@glacis/observability';
import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import { Store } from '@glacis/store';
import {
  Inject,
  Injectable,
  Optional,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../settings.js';
import { revocationSource } from './tokens.store.js';

/** Loads the revocations before the first request is taken, and reads those whose broadcast was lost. */
@Injectable()
export class Revocations implements OnModuleInit, OnModuleDestroy {
  private readonly feed: RevocationFeed;

  constructor(
    store: Store,
    revoked: RevokedTokens,
    @Inject(GATEWAY_SETTINGS) settings: GatewaySettings,
    @Inject(LOGGER) logger: Logger,
    @Optional() @Inject(CLOCK) clock: Clock = systemClock,
  ) {
    this.feed = new RevocationFeed({
      source: revocationSource(
        store,
        () => new Date(clock.now().getTime() - maxLeewaySeconds * 1000),
      ),
      revoked,
      intervalMs: settings.revocationPoll,
      onError: (error) => logger.warn({ err: error }, 'token revocations not read'),
    });
  }

  onModuleInit(): Promise<void> {
    return this.feed.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.feed.stop();
  }
}
