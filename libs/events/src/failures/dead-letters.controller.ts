import { Operation, pageQuery, plainText, problems, zParam, zQuery } from '@glacis/http';
import { Controller, Get, HttpCode, Inject, Param, Post, Query, type Type } from '@nestjs/common';
import { z } from 'zod';
import { DeadLetters, type DeadLetter } from './dead-letters.js';

const id = plainText(512).min(1);
const params = z.object({ id });
const letter = z.object({
  id: z.string(),
  type: z.string(),
  topic: z.string(),
  subject: z.string(),
  attempts: z.number(),
  cause: z.string(),
  failed_at: z.string(),
});
const letterWithEvent = letter.extend({ envelope: z.string() });
const list = z.object({
  total: z.number(),
  offset: z.number().optional(),
  limit: z.number(),
  dead_letters: z.array(letter),
});
const redriven = z.object({ redriven: z.number() });

/** The routes of one service's dead letters; its own class each, as the path carries the service. */
export function deadLettersController(service: string): Type<unknown> {
  @Controller(`events/${service}/dead-letters`)
  class DeadLettersController {
    constructor(@Inject(DeadLetters) private readonly deadLetters: DeadLetters) {}

    @Get()
    @Operation({
      access: 'platform',
      summary: `Events that ${service} could not handle, oldest first`,
      query: pageQuery,
      reply: list,
    })
    async list(
      @Query(zQuery(pageQuery)) page: z.output<typeof pageQuery>,
    ): Promise<z.input<typeof list>> {
      const { total, rows } = await this.deadLetters.list(page);
      const { offset, limit } = page;
      const found = rows.map(view);
      return offset === 0
        ? { total, limit, dead_letters: found }
        : { total, offset, limit, dead_letters: found };
    }

    @Get(':id')
    @Operation({
      access: 'platform',
      summary: `One event that ${service} could not handle, with its envelope`,
      params,
      reply: letterWithEvent,
    })
    async get(@Param('id', zParam(id)) eventId: string): Promise<z.input<typeof letterWithEvent>> {
      const found = await this.deadLetters.get(eventId);
      if (!found) throw problems.notFound();
      return { ...view(found), envelope: found.envelope };
    }

    @Post('redrive')
    @HttpCode(202)
    @Operation({
      access: 'platform',
      summary: `Has ${service} handle all its dead letters again, once`,
      reply: redriven,
      status: 202,
    })
    async redriveAll(): Promise<z.input<typeof redriven>> {
      return { redriven: await this.deadLetters.redrive() };
    }

    @Post(':id/redrive')
    @HttpCode(202)
    @Operation({
      access: 'platform',
      summary: `Has ${service} handle a dead letter again, once`,
      params,
      reply: redriven,
      status: 202,
    })
    async redrive(@Param('id', zParam(id)) eventId: string): Promise<z.input<typeof redriven>> {
      const count = await this.deadLetters.redrive(eventId);
      if (count === 0) throw problems.notFound();
      return { redriven: count };
    }
  }
  return DeadLettersController;
}

function view(found: DeadLetter): z.input<typeof letter> {
  const { id: eventId, type, topic, subject, attempts, cause, failedAt } = found;
  return { id: eventId, type, topic, subject, attempts, cause, failed_at: failedAt.toISOString() };
}
