import { Operation } from '@glacis/http';
import { Controller, Get, Header } from '@nestjs/common';
import { OpenApi } from './open-api.js';

const reply = { type: 'application/json', description: 'An OpenAPI 3.1 document' };

@Controller('openapi.json')
export class OpenApiController {
  constructor(private readonly openApi: OpenApi) {}

  @Get()
  @Header('Content-Type', 'application/json')
  @Operation({ access: 'public', summary: 'Every route, as OpenAPI', reply })
  document(): Promise<string> {
    return this.openApi.document();
  }
}
