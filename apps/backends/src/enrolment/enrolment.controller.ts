import { CallerParam, Operation, zBody, type Caller } from '@glacis/http';
import { Body, Controller, Header, Inject, Param, Post } from '@nestjs/common';
import { enrolmentBody, enrolmentReply, type EnrolmentBody } from './enrolment.schema.js';
import { Enrolment } from './enrolment.service.js';

@Controller('backends')
export class EnrolmentController {
  constructor(@Inject(Enrolment) private readonly enrolment: Enrolment) {}

  /** An `Idempotency-Key` has no effect here: the answer could be repeated only if the token were kept. */
  @Post(':id/enrolment-tokens')
  @Header('cache-control', 'no-store')
  @Operation({
    access: 'member',
    summary: 'Make a token by which the host of a backend gets its certificate, used once',
    status: 201,
    body: enrolmentBody,
    reply: enrolmentReply,
    errors: ['not-found'],
  })
  async create(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Body(zBody(enrolmentBody)) wish: EnrolmentBody,
  ): Promise<unknown> {
    const { token, expiresAt, caSha256 } = await this.enrolment.createToken(caller, id, wish);
    return { token, expires_at: expiresAt.toISOString(), ca_sha256: caSha256 };
  }
}
