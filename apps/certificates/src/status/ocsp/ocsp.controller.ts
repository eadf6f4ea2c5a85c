import { Body, Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { malformedBy, Operation, RequestParam, type Visitor } from '@glacis/http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { OcspHeaders } from './ocsp-headers.js';
import { ocspQuestion } from './ocsp-question.js';
import { Ocsp, type OcspReply } from './ocsp.service.js';
import { requestInPath } from './request-in-path.js';

const description = 'OCSP response (RFC 6960); errors too are answers, with status 200';
const replyType = { type: 'application/ocsp-response', description };

@Controller('certs')
export class OcspController {
  constructor(
    private readonly ocsp: Ocsp,
    private readonly headers: OcspHeaders,
  ) {}

  @Post('ocsp')
  @HttpCode(200)
  @Operation({
    access: 'public',
    summary: 'Ask for the status of certificates',
    body: ocspQuestion,
    reply: replyType,
    status: 200,
    rawContentTypes: ['application/ocsp-request'],
    ownLimit: true,
  })
  async post(
    @Body() body: unknown,
    @RequestParam() { address }: Visitor,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    const answer = Buffer.isBuffer(body)
      ? await this.ocsp.answer(body, address)
      : await this.answerQuestion(body, address);
    return this.send(reply, answer, 'POST');
  }

  /** The request is the whole rest of the path. */
  @Get('ocsp/*')
  @Operation({
    access: 'public',
    summary: 'Ask for the status of a certificate, the request in base64 in the path',
    reply: replyType,
    ownLimit: true,
  })
  async get(
    @Req() request: FastifyRequest,
    @RequestParam() { address }: Visitor,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    const der = requestInPath(request.raw.url ?? '');
    const answer =
      der === null ? this.ocsp.error('malformedRequest') : await this.ocsp.answer(der, address);
    return this.send(reply, answer, 'GET');
  }

  private async answerQuestion(body: unknown, address: string): Promise<OcspReply> {
    if (body === undefined) return this.ocsp.error('malformedRequest');
    const question = ocspQuestion.safeParse(body);
    if (!question.success) throw malformedBy(question.error);
    return this.ocsp.answerQuestion(question.data, address);
  }

  private send(reply: FastifyReply, answer: OcspReply, verb: 'GET' | 'POST'): Buffer {
    reply.headers(this.headers.of(answer, verb));
    return answer.body;
  }
}
