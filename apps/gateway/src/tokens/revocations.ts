import {
  maxLeewaySeconds,
  RevocationFeed,
  RevokedTokens,
  type RevocationPage,
} from '@glacis/identity';
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

/**
 * The record of revoked tokens: for services that run apart, and for this process, which loads it before the first
 * request is taken and reads it again for those whose broadcast was lost.
 */
@Injectable()
export class Revocations implements OnModuleInit, OnModuleDestroy {
  private readonly source;
  private readonly feed: RevocationFeed;

  constructor(
    store: Store,
    revoked: RevokedTokens,
    @Inject(GATEWAY_SETTINGS) settings: GatewaySettings,
    @Inject(LOGGER) logger: Logger,
    @Optional() @Inject(CLOCK) clock: Clock = systemClock,
  ) {
    const expiredAfter = (): Date => new Date(clock.now().getTime() - maxLeewaySeconds * 1000);
    this.source = revocationSource(store, expiredAfter);
    this.feed = new RevocationFeed({
      source: this.source,
      revoked,
      intervalMs: settings.revocationPoll,
      clock,
      onError: (error) => logger.warn({ err: error }, 'token revocations not read'),
    });
  }

  async onModuleInit(): Promise<void> {
    await this.feed.read();
    this.feed.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.feed.stop();
  }

  /** @param watermark of an earlier answer; null: from the beginning */
  since(watermark: string | null): Promise<RevocationPage> {
    return this.source.revokedSince(watermark);
  }
}
