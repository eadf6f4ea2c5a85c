import { Operation, problems } from '@glacis/http';
import { Controller, Get, Header, Inject, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { contentPolicy } from './content-policy.js';
import { PageModules } from './page-modules.js';
import { sharePage, shareStyle } from './share-page.js';

const page = { type: 'text/html', description: 'The page of a data owner' };
const style = { type: 'text/css', description: 'Its looks' };
const script = { type: 'text/javascript', description: 'A module of it' };

/** The page on which an owner reads a job, signs and shares (`jobs.md` 3.2). It shows nothing without a claim. */
@Controller('ui/jobs')
export class PageController {
  constructor(
    @Inject(PageModules) private readonly modules: PageModules,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
  ) {}

  @Get(':job/share')
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Operation({ access: 'public', summary: 'Page of a data owner', reply: page, noStore: true })
  share(@Res({ passthrough: true }) reply: FastifyReply): string {
    reply.headers({
      'content-security-policy': contentPolicy(this.settings),
      'cross-origin-opener-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    return sharePage;
  }

  @Get('shares/page.css')
  @Header('Content-Type', 'text/css; charset=utf-8')
  @Header('X-Content-Type-Options', 'nosniff')
  @Operation({ access: 'public', summary: 'Looks of the page of a data owner', reply: style })
  style(): string {
    return shareStyle;
  }

  @Get('shares/:folder/:file')
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  @Header('X-Content-Type-Options', 'nosniff')
  @Operation({
    access: 'public',
    summary: 'A module of the page of a data owner',
    reply: script,
    errors: ['not-found'],
  })
  module(@Param('folder') folder: string, @Param('file') file: string): string {
    const text = this.modules.find(`${folder}/${file}`);
    if (text === undefined) throw problems.notFound('no such module');
    return text;
  }
}
