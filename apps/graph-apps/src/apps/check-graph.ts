import {
  admit,
  ruleKind,
  textOf,
  type ClusterView,
  type Finding,
  type Subject,
  type Verdict,
} from '@glacis/graphs';
import { LOGGER, type Logger } from '@glacis/observability';
import { newId } from '@glacis/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { GraphCluster } from '../cluster/graph-cluster.js';
import { invalidGraph } from '../problems.js';
import type { GraphBody } from './app.schema.js';
import type { AppRef } from './app.entity.js';

const apiVersions = ['rampart.petuum.com/v1beta1', 'rampart.petuum.com/v1beta2'];

/** A cluster that stands against nothing: by it the rules say what is wrong with the graph itself. */
const anyCluster: ClusterView = {
  ready: true,
  kafkaConfigured: true,
  namespace: () => undefined,
  claimantsOf: () => [],
  claimUsers: () => [],
  providersOf: () => [{ graph: { namespace: '', name: '' }, createdAt: '' }],
};

/** The check at save (`graph-apps.md` 6.3). */
@Injectable()
export class GraphCheck {
  constructor(
    @Inject(GraphCluster) private readonly cluster: GraphCluster,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * What is wrong with the graph itself refuses it; what stands against it in the cluster as it is now is a warning, and
   * binds at deployment.
   * @returns the warnings
   * @throws {Problem} invalid-graph
   */
  check(ref: AppRef, { apiVersion, kind, spec }: Checked): string[] {
    const subject: Subject = { ...ref, spec };
    const own = this.admit(subject, anyCluster);
    const errors = [...typeFindings(apiVersion, kind), ...own.errors];
    if (errors.length > 0) throw refusal(errors);
    const { view } = this.cluster;
    const found = view?.ready ? this.admit(subject, view).errors : [];
    const momentary = found.filter(({ code }) => ruleKind(code) === 'c');
    return [...own.warnings, ...momentary.map((finding) => textOf([finding]))];
  }

  private admit(subject: Subject, cluster: ClusterView): Verdict {
    return admit(subject, cluster, (error) => {
      const id = newId();
      this.logger.error({ err: error, correlation_id: id }, 'a rule of graphs failed');
      return id;
    });
  }
}

type Checked = Omit<GraphBody, 'metadata' | 'notes'>;

function typeFindings(apiVersion: string, kind: string): Finding[] {
  const findings: Finding[] = [];
  if (!apiVersions.includes(apiVersion)) {
    findings.push(schemaFinding('/apiVersion', `expected ${apiVersions.join(' or ')}`));
  }
  if (kind !== 'RampartGraph') findings.push(schemaFinding('/kind', 'expected RampartGraph'));
  return findings;
}

function schemaFinding(path: string, message: string): Finding {
  return { code: 'SCHEMA', path, message };
}

function refusal(errors: Finding[]): Error {
  return invalidGraph(textOf(errors), { members: { errors } });
}
