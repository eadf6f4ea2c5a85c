import {
  CallerParam,
  Idempotency,
  IdempotencyParam,
  Operation,
  pageQuery,
  sendAnswer,
  zBody,
  zQuery,
  type Answer,
  type Caller,
  type IdempotentRequest,
} from '@glacis/http';
import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  Put,
  Query,
  Res,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { BackendReader } from '../backends/backend-reader.js';
import { namingConflicts } from '../backends/backends.service.js';
import { VmManagers } from './vm-managers.service.js';
import {
  durationText,
  managerBody,
  managerReply,
  vmBody,
  vmInformationReply,
  vmListReply,
  vmReply,
  type ManagerBody,
  type VmBody,
} from './vm.schema.js';
import { VmAttempts, type Attempt } from './vm-attempts.js';
import { VmsService } from './vms.service.js';
import type { Vm } from './vms.store.js';

const calls = ['not-found', 'vm-uncertain', 'vm-refused'];

/** Hosts whose manager is called by us, and their VMs (`backends.md` 8). */
@Controller('backends/:id')
export class VmsController {
  constructor(
    @Inject(VmManagers) private readonly managers: VmManagers,
    @Inject(VmAttempts) private readonly attempts: VmAttempts,
    @Inject(VmsService) private readonly vms: VmsService,
    @Inject(BackendReader) private readonly backends: BackendReader,
    @Inject(Idempotency) private readonly idempotency: Idempotency,
  ) {}

  @Get('manager')
  @Operation({
    access: 'member',
    summary: 'Show how the manager of a host is called; its key is never shown',
    reply: managerReply,
    errors: ['not-found'],
  })
  async showManager(@CallerParam() caller: Caller, @Param('id') id: string): Promise<unknown> {
    const manager = await this.managers.get(caller.tenant, id);
    const { address, ca, certificate, ttlMs, platforms, updatedAt } = manager;
    const ttl = durationText(ttlMs);
    return { address, ca, certificate, ttl, platforms, updated_at: updatedAt };
  }

  @Put('manager')
  @HttpCode(200)
  @Operation({
    access: 'admin',
    summary: 'Set how the manager of a host is called, for managers of cocos v0.5.0 and later',
    body: managerBody,
    errors: ['not-found'],
  })
  async setManager(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Body(zBody(managerBody)) body: ManagerBody,
  ): Promise<void> {
    await this.managers.set(caller, id, body);
  }

  @Delete('manager')
  @HttpCode(204)
  @Operation({
    access: 'admin',
    summary: 'Forget how the manager of a host is called; its VMs go on',
    status: 204,
    errors: ['not-found'],
  })
  async removeManager(@CallerParam() caller: Caller, @Param('id') id: string): Promise<void> {
    await this.managers.remove(caller, id);
  }

  /** 202: the manager did not answer in time, and whether there is a VM is uncertain; its end is not. */
  @Post('vms')
  @Operation({
    access: 'member',
    summary: 'Have the manager of a host make a confidential VM',
    body: vmBody,
    errors: [
      'not-found',
      'backend-exists',
      'idempotency-key-reused',
      'kbs-host-not-allowed',
      'vm-limit',
      'vm-refused',
    ],
  })
  async create(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @IdempotencyParam() request: IdempotentRequest,
    @Body(zBody(vmBody)) wish: VmBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const prepared = await this.attempts.prepare(caller, id, wish);
    let attempt: Attempt | undefined;
    const input = { name: wish.name, description: wish.description, address: '' };
    const repeated = await namingConflicts(input, () =>
      this.idempotency.run(request, async (tx) => {
        attempt = await this.attempts.record(tx, caller, prepared);
        return { status: 202, headers: { location: `/backends/${id}/vms/${attempt.id}` } };
      }),
    );
    return sendAnswer(reply, attempt ? await this.make(caller, attempt, request) : repeated);
  }

  @Get('vms')
  @Operation({
    access: 'member',
    summary: 'List the VMs that the manager of a host has made for us, newest first',
    query: pageQuery,
    reply: vmListReply,
    errors: ['not-found'],
  })
  async list(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Query(zQuery(pageQuery)) page: z.output<typeof pageQuery>,
  ): Promise<unknown> {
    await this.backends.get(caller.tenant, id);
    const { total, vms } = await this.vms.list(id, page);
    const { offset, limit } = page;
    return { total, offset: offset || undefined, limit, vms: vms.map(vmJson) };
  }

  @Get('vms/:vm')
  @Operation({ access: 'member', summary: 'Show a VM', reply: vmReply, errors: ['not-found'] })
  async show(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Param('vm') vm: string,
  ): Promise<unknown> {
    await this.backends.get(caller.tenant, id);
    return vmJson(await this.vms.get(id, vm));
  }

  @Delete('vms/:vm')
  @HttpCode(204)
  @Operation({
    access: 'member',
    summary: 'Have a VM removed by its manager, and revoke its certificates',
    status: 204,
    errors: calls,
  })
  async remove(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Param('vm') vm: string,
  ): Promise<void> {
    await this.vms.remove(caller, id, vm);
  }

  @Get('vms/:vm/information')
  @Operation({
    access: 'member',
    summary: 'Ask the manager what a VM is made of',
    reply: vmInformationReply,
    errors: calls,
  })
  async information(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Param('vm') vm: string,
  ): Promise<unknown> {
    const told = await this.vms.information(caller, id, vm);
    return {
      id: told.id,
      ovmf_version: told.ovmfVersion,
      cpu_num: told.cpuNum,
      cpu_type: told.cpuType,
      kernel_cmd: told.kernelCmd,
      eos_version: told.eosVersion,
    };
  }

  @Get('vms/:vm/attestation-policy')
  @Operation({
    access: 'member',
    summary: 'Ask the manager for the attestation policy of a VM, in base64',
    reply: z.object({ id: z.string(), info: z.base64() }),
    errors: calls,
  })
  async policy(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Param('vm') vm: string,
  ): Promise<unknown> {
    const told = await this.vms.policy(caller, id, vm);
    return { id: told.id, info: told.info.toString('base64') };
  }

  /** A failed attempt leaves nothing, so the same key may try again. */
  private async make(
    caller: Caller,
    attempt: Attempt,
    request: IdempotentRequest,
  ): Promise<Answer> {
    const outcome = await this.vms.make(caller, attempt);
    if ('answer' in outcome) return outcome.answer;
    await this.idempotency.forget(request);
    throw outcome.problem;
  }
}

function vmJson(vm: Vm): unknown {
  return {
    id: vm.id,
    state: vm.state,
    cvm_id: vm.cvmId ?? undefined,
    forwarded_port: vm.forwardedPort ?? undefined,
    attempted_at: vm.attemptedAt,
    expires_at: vm.expiresAt ?? undefined,
  };
}
