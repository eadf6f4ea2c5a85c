import { CallerParam, Operation, zBody, type Caller } from '@glacis/http';
import { durationMs } from '@glacis/settings';
import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { z } from 'zod';
import { IssuerKeysService } from './issuer-keys.service.js';

const rotation = z.object({ overlap: durationMs.optional() });
const rotated = z.object({ key_id: z.string() });

@Controller('tokens/keys')
export class IssuerKeysController {
  constructor(private readonly keys: IssuerKeysService) {}

  @Post('rotation')
  @HttpCode(200)
  @Operation({
    access: 'platform',
    summary: 'Sign tokens with a new key from now on',
    description:
      'Tokens made before are good for `overlap` more (a duration such as `24h`; default the longest life that a ' +
      'token may have, so that none is cut short). `0` refuses all of them at once, that of the caller among them: ' +
      'for a key that others may have.',
    body: rotation,
    reply: rotated,
  })
  async rotate(
    @CallerParam() caller: Caller,
    @Body(zBody(rotation)) { overlap }: z.output<typeof rotation>,
  ): Promise<z.input<typeof rotated>> {
    return { key_id: await this.keys.rotate(caller, overlap) };
  }
}
