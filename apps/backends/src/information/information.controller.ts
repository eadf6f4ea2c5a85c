import { CallerParam, Operation, type Caller } from '@glacis/http';
import { Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import { BackendReader } from '../backends/backend-reader.js';
import { InformationService } from './information.service.js';

@Controller('backends')
export class InformationController {
  constructor(
    @Inject(InformationService) private readonly information: InformationService,
    @Inject(BackendReader) private readonly backends: BackendReader,
  ) {}

  @Get(':id/information')
  @Operation({
    access: 'member',
    summary: 'Show what a backend last told of its platform',
    reply: z.record(z.string(), z.unknown()),
    errors: ['not-found'],
  })
  async show(@CallerParam() caller: Caller, @Param('id') id: string): Promise<unknown> {
    await this.backends.get(caller.tenant, id);
    return this.information.get(id);
  }

  @Post(':id/information')
  @HttpCode(202)
  @Operation({
    access: 'member',
    summary: 'Ask the connected manager for its platform; v0.3 managers run a privileged program',
    status: 202,
    errors: ['not-found', 'not-connected', 'dialect-cannot'],
  })
  async ask(@CallerParam() caller: Caller, @Param('id') id: string): Promise<void> {
    await this.backends.get(caller.tenant, id);
    await this.information.ask(caller, id);
  }
}
