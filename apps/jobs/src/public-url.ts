import type { AddressInfo } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { SETTINGS, type JobsSettings } from './settings.js';

/** What links begin with that others are given. */
@Injectable()
export class PublicUrl {
  constructor(
    @Inject(SETTINGS) private readonly settings: JobsSettings,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {}

  /** By the settings, else where this process listens, which in one process is the door; no slash at its end. */
  get text(): string {
    return this.settings.publicUrl ?? this.ownAddress();
  }

  private ownAddress(): string {
    const { server } = this.host.httpAdapter.getInstance<FastifyInstance>();
    const { address, family, port } = server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }
}
