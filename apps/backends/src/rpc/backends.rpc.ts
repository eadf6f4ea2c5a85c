import type {
  BackendEvent,
  BackendsRpc,
  BackendSummary,
  CheckNamesReply,
  CheckNamesRequest,
  RunReply,
} from '@glacis/contracts';
import { RpcError, status } from '@glacis/grpc';
import { coalesce } from '@glacis/runtime';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { BackendReader } from '../backends/backend-reader.js';
import type { Backend } from '../backends/backend.js';
import { checkNames } from '../backends/check-names.js';
import { computations, type Wisher } from '../commands/asker.js';
import { RunsService } from '../runs/runs.service.js';
import { Terminations } from '../terminations/terminations.service.js';
import { Watchers } from './watchers.js';

/** What other services ask of this one (`backends.md` 11). */
@Injectable()
export class BackendsRpcService implements BackendsRpc {
  private readonly askNames = coalesce((requests: CheckNamesRequest[]) =>
    checkNames(this.store, requests),
  );

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(BackendReader) private readonly backends: BackendReader,
    @Inject(RunsService) private readonly runs: RunsService,
    @Inject(Terminations) private readonly terminations: Terminations,
    @Inject(Watchers) private readonly watchers: Watchers,
  ) {}

  checkNames(request: CheckNamesRequest): Promise<CheckNamesReply> {
    return this.askNames(request);
  }

  async get({ id }: { id: string }): Promise<BackendSummary> {
    const { tenant, name, address } = await this.known(id);
    return { id, tenant, name, address };
  }

  async run({
    backendId,
    computationRunReq,
  }: {
    backendId: string;
    computationRunReq: Buffer;
  }): Promise<RunReply> {
    return this.runs.run(await this.computationsOf(backendId), backendId, computationRunReq);
  }

  async stop({
    backendId,
    computationId,
  }: {
    backendId: string;
    computationId: string;
  }): Promise<Record<string, never>> {
    await this.runs.stop(await this.computationsOf(backendId), backendId, computationId);
    return {};
  }

  async terminate(request: {
    backendId: string;
    type: 0 | 1;
    reason?: string;
    requestedBy: string;
  }): Promise<{ requestId: string }> {
    const { tenant } = await this.known(request.backendId);
    return { requestId: await this.terminations.request({ ...request, tenant }) };
  }

  watch({ tenant }: { tenant: string }, signal: AbortSignal): AsyncIterable<BackendEvent> {
    return this.watchers.watch(tenant, signal);
  }

  private async computationsOf(backendId: string): Promise<Wisher> {
    const { tenant } = await this.known(backendId);
    return { ...computations, tenant };
  }

  private async known(id: string): Promise<Backend> {
    const backend = await this.backends.find(id);
    if (!backend) throw new RpcError(status.NOT_FOUND, 'not-found', 'no such backend');
    return backend;
  }
}
