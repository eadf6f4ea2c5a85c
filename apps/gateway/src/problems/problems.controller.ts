import { Operation, problems, type ProblemDefinition } from '@glacis/http';
import { Controller, Get, Header, Headers, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { html, page, prefersJson, type Html } from '../html.js';
import { OpenApi } from '../openapi/open-api.js';

const problem = z.object({
  slug: z.string(),
  type: z.string(),
  status: z.number(),
  title: z.string(),
  about: z.string(),
});

const listReply = z.object({ problems: z.array(problem) });

/** Every error that the suite answers with, for people by default and as JSON for programs. */
@Controller('problems')
export class ProblemsController {
  constructor(private readonly openApi: OpenApi) {}

  @Get()
  @Header('Vary', 'Accept')
  @Operation({ access: 'public', summary: 'Every kind of error', reply: listReply })
  async list(
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof listReply> | string> {
    const all = await this.openApi.problems();
    if (prefersJson(accept)) return { problems: all.map(view) };
    return asPage(reply, 'Errors', listOf(all));
  }

  @Get(':slug')
  @Header('Vary', 'Accept')
  @Operation({
    access: 'public',
    summary: 'What an error means and what to do about it',
    reply: problem,
    errors: ['not-found'],
  })
  async get(
    @Param('slug') slug: string,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof problem> | string> {
    const all = await this.openApi.problems();
    const found = all.find((definition) => definition.slug === slug);
    if (found === undefined) throw problems.notFound('no such kind of error');
    if (prefersJson(accept)) return view(found);
    return asPage(reply, found.slug, describe(found));
  }
}

function view({ slug, status, title, about }: ProblemDefinition): z.input<typeof problem> {
  return { slug, type: `https://glacis.dev/problems/${slug}`, status, title, about };
}

function asPage(reply: FastifyReply, title: string, body: Html): string {
  reply.header('content-type', 'text/html; charset=utf-8');
  return page(title, body);
}

function listOf(all: readonly ProblemDefinition[]): Html {
  const rows = all.map(
    ({ slug, status, title }) =>
      html`<tr>
        <td>${status}</td>
        <td><a href="/problems/${slug}">${slug}</a></td>
        <td>${title}</td>
      </tr>`,
  );
  return html`<p>An error names its kind in <code>code</code>; this is what each kind means.</p>
    <table>
      <tr>
        <th>Status</th>
        <th>Code</th>
        <th>Title</th>
      </tr>
      ${rows}
    </table>`;
}

function describe({ slug, status, title, about }: ProblemDefinition): Html {
  return html`<p>Status ${status} ${title}, code <code>${slug}</code></p>
    <p>${about}</p>
    <p><a href="/problems">All errors</a></p>`;
}
