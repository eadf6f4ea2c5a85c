import type { OperationOptions } from './operation.js';
import { problemCatalogue, type ProblemDefinition } from './problem.js';

/** Problems that any route may answer, beside those that it names. */
const everywhere = ['malformed', 'rate-limited', 'internal', 'unavailable'];
const underToken = ['unauthenticated', 'forbidden'];

const content = {
  'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
};

/** A response of an OpenAPI document. */
export interface ProblemResponse {
  status: number;
  description: string;
  content: typeof content;
}

/** One response per status, naming the problems that have it. */
export function problemResponses({ access, errors = [] }: OperationOptions): ProblemResponse[] {
  const slugs = new Set([...everywhere, ...(access === 'public' ? [] : underToken), ...errors]);
  const byStatus = new Map<number, ProblemDefinition[]>();
  for (const problem of problemCatalogue().filter(({ slug }) => slugs.has(slug))) {
    byStatus.set(problem.status, [...(byStatus.get(problem.status) ?? []), problem]);
  }
  return [...byStatus].map(([status, list]) => ({
    status,
    description: list.map(({ slug }) => slug).join(', '),
    content,
  }));
}
