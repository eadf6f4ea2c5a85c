import { Operation } from '@glacis/http';
import { Controller, Get } from '@nestjs/common';
import { z } from 'zod';
import { version } from '../version.js';
import { ServicesService } from './services.service.js';

const listReply = z.object({
  services: z.array(z.object({ name: z.string(), version: z.string(), ready: z.boolean() })),
});

@Controller('services')
export class ServicesController {
  constructor(private readonly services: ServicesService) {}

  @Get()
  @Operation({
    access: 'authenticated',
    summary: 'The services behind this door',
    reply: listReply,
  })
  async list(): Promise<z.input<typeof listReply>> {
    const found = await this.services.list();
    return { services: found.map(({ name, ready }) => ({ name, version, ready })) };
  }
}
