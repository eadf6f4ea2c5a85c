import { TokenVerifier } from '@glacis/identity';
import { LOGGER, type Logger } from '@glacis/observability';
import { Loop } from '@glacis/runtime';
import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../settings.js';
import { KeptKeys } from './kept-keys.js';

/** Has the keys of tokens read again when they have changed and the broadcast of it was lost. */
@Injectable()
export class IssuerKeysWatch implements OnModuleInit, OnModuleDestroy {
  private readonly loop: Loop;

  constructor(
    @Inject(GATEWAY_SETTINGS) settings: GatewaySettings,
    @Inject(KeptKeys) kept: KeptKeys,
    @Inject(TokenVerifier) verifier: TokenVerifier,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.loop = new Loop({
      name: 'issuer keys',
      intervalMs: settings.revocationPoll,
      run: async () => {
        if (await kept.haveChanged()) verifier.recheck();
      },
      onError: (error) => logger.warn({ err: error }, 'keys of tokens not looked at'),
    });
  }

  onModuleInit(): void {
    this.loop.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.loop.stop();
  }
}
