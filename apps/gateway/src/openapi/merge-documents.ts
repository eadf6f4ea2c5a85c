import { problemsMember, type ProblemDefinition } from '@glacis/http';
import { z } from 'zod';

const members = z.record(z.string(), z.unknown());

/** What is read of an OpenAPI document; the rest is passed on. */
export const openApiDocumentForm = z.looseObject({
  paths: members,
  components: z.looseObject({ schemas: members.default({}) }).default({ schemas: {} }),
  [problemsMember]: z
    .array(
      z.object({
        slug: z.string(),
        status: z.number(),
        title: z.string(),
        message: z.string(),
        about: z.string(),
      }),
    )
    .default([]),
});

export type OpenApiDocument = z.output<typeof openApiDocumentForm>;

/** The document of a service, null while it is not known, and which of its paths the door passes on. */
export interface ServiceDocument {
  service: string;
  document: OpenApiDocument | null;
  isPassedOn: (path: string) => boolean;
}

/** One document of all; `x-away` names the services whose routes are not in it, as they have not answered yet. */
export function mergeDocuments(
  own: OpenApiDocument,
  services: readonly ServiceDocument[],
): OpenApiDocument {
  const away = services.filter(({ document }) => document === null).map(({ service }) => service);
  const known = services.flatMap(({ document, isPassedOn }) =>
    document === null ? [] : [{ ...document, paths: pick(document.paths, isPassedOn) }],
  );
  return {
    ...own,
    paths: Object.assign({}, ...known.map(({ paths }) => paths), own.paths),
    components: {
      ...own.components,
      schemas: Object.assign({}, ...[...known, own].map(({ components }) => components.schemas)),
    },
    [problemsMember]: mergeProblems([own, ...known].flatMap((each) => each[problemsMember])),
    ...(away.length === 0 ? {} : { 'x-away': away }),
  };
}

/** One of each slug, in the order of the slugs. */
function mergeProblems(all: readonly ProblemDefinition[]): ProblemDefinition[] {
  const bySlug = new Map(all.map((problem) => [problem.slug, problem]));
  return [...bySlug.values()].toSorted((a, b) => (a.slug < b.slug ? -1 : 1));
}

function pick(
  paths: Record<string, unknown>,
  isPassedOn: (path: string) => boolean,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(paths).filter(([path]) => isPassedOn(path)));
}
