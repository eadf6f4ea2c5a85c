/** One kind of error, as it is listed under `/problems`. */
export interface ProblemDefinition {
  /** Last segment of `type`, and the stable `code`. */
  slug: string;
  status: number;
  title: string;
  /** The outer text for older clients (`backends.md` 2.5). */
  message: string;
  /** What it means and what the caller does about it. */
  about: string;
}

export interface ProblemMore {
  /** The inner cause for older clients; default `""`. */
  error?: string;
  /** Replaces the definition's outer text for older clients. */
  message?: string;
  /** Members beside the common ones, as `field` or `reason`. */
  members?: Record<string, unknown>;
  headers?: Record<string, string>;
  /** For the log only; never leaves the process. */
  cause?: unknown;
}

export type ProblemFactory = (detail?: string, more?: ProblemMore) => Problem;

const typeBase = 'https://glacis.dev/problems/';
const definitions = new Map<string, ProblemDefinition>();

/** An error that a caller is told of (RFC 9457). Throw it anywhere below a route. */
export class Problem extends Error {
  constructor(
    readonly definition: ProblemDefinition,
    readonly detail: string = definition.title,
    readonly more: ProblemMore = {},
  ) {
    super(detail, { cause: more.cause });
    this.name = 'Problem';
  }

  get slug(): string {
    return this.definition.slug;
  }

  get status(): number {
    return this.definition.status;
  }

  /** The reply body: the members of RFC 9457 and of older clients first, then ours. */
  toJSON(instance = '', requestId = ''): Record<string, unknown> {
    return {
      type: typeBase + this.slug,
      title: this.definition.title,
      status: this.status,
      detail: this.detail,
      instance,
      error: this.more.error ?? '',
      message: this.more.message ?? this.definition.message,
      code: this.slug,
      request_id: requestId,
      ...this.more.members,
    };
  }
}

/**
 * Adds a kind of error to the catalogue of this process and gives the function that makes it.
 * @throws {Error} when the slug is taken
 */
export function defineProblem(definition: ProblemDefinition): ProblemFactory {
  if (definitions.has(definition.slug)) {
    throw new Error(`problem '${definition.slug}' is defined twice`);
  }
  definitions.set(definition.slug, definition);
  return (detail, more) => new Problem(definition, detail, more);
}

/** Every kind of error known to this process, by slug. */
export function problemCatalogue(): ProblemDefinition[] {
  return [...definitions.values()].toSorted((a, b) => (a.slug < b.slug ? -1 : 1));
}
