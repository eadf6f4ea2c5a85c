import { CallerParam, etagOf, Operation, zBody, type Caller } from '@glacis/http';
import {
  Body,
  Controller,
  Headers,
  HttpCode,
  Inject,
  Param,
  Post,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { numberIn } from '../apps/known-app.js';
import { StateWords } from '../state-words.js';
import { DeploymentsService } from './deployments.service.js';

/** Id and version are those of the path. */
const redeploymentBody = z.object({
  appId: z.string().max(256).optional(),
  version: z.string().max(64).optional(),
  deployed: z.boolean(),
});

const redeploymentReply = z.object({
  appId: z.string(),
  versionId: z.int().optional().describe('Generation of the graph in the cluster.'),
  graph: z.record(z.string(), z.unknown()).optional(),
});

@Controller('apps/redeployment')
@UseInterceptors(StateWords)
export class DeploymentsController {
  constructor(@Inject(DeploymentsService) private readonly deployments: DeploymentsService) {}

  @Post(':id/:version')
  @HttpCode(200)
  @Operation({
    access: 'member',
    summary: 'Deploy a version, revert to an older one, or with `deployed` false undeploy the App',
    body: redeploymentBody,
    reply: redeploymentReply,
    errors: [
      'graph-not-found',
      'version-not-found',
      'graph-read-only',
      'invalid-request',
      'precondition-failed',
      'redeployment-conflict',
      'redeployment-refused',
      'redeployment-failed',
      'cluster-not-configured',
    ],
  })
  async redeploy(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Param('version') version: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body(zBody(redeploymentBody)) { deployed }: z.output<typeof redeploymentBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const edit = { id, ifMatch };
    const { app, graph } = deployed
      ? await this.deployments.deploy(caller, edit, numberIn(version))
      : await this.deployments.undeploy(caller, edit);
    reply.header('etag', etagOf(app.revision));
    if (!deployed) return { appId: id };
    const { generation: versionId } = graph.metadata;
    return { appId: id, versionId, graph: withoutManagedFields(graph) };
  }
}

function withoutManagedFields<T extends { metadata: object }>(graph: T): T {
  return { ...graph, metadata: { ...graph.metadata, managedFields: undefined } };
}
