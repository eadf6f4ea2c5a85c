import { Operation } from '@glacis/http';
import { Controller, Get, Inject } from '@nestjs/common';
import { z } from 'zod';
import { SETTINGS, type GraphAppsSettings } from '../settings.js';
import { componentTypes } from './component-types.js';
import { readTypes } from './read-types.js';
import { uiSchema } from './ui-schema.js';

@Controller('graphs/schema')
export class UiSchemaController {
  private readonly schema: Record<string, unknown>;

  constructor(@Inject(SETTINGS) { schemaDir }: GraphAppsSettings) {
    this.schema = uiSchema([...componentTypes, ...readTypes(schemaDir)]);
  }

  @Get()
  @Operation({
    access: 'member',
    summary: 'The JSON Schema by which an editor offers components and flows',
    reply: z.record(z.string(), z.unknown()),
  })
  get(): Record<string, unknown> {
    return this.schema;
  }
}
