import { pathOf } from './path.js';
import type { Problem } from './problem.js';

/** An error as it goes out. */
export interface ErrorReply {
  contentType: string;
  /** Default that of the problem. */
  status?: number;
  text: string;
  headers?: Record<string, string>;
}

/** Tells a problem in another form than that of all routes. */
export type ErrorForm = (problem: Problem, told: Record<string, unknown>) => ErrorReply;

const forms = new Map<string, ErrorForm>();

/**
 * Has all errors of a path, those of the door and of the router included, told in a form that a spec fixes.
 * @param path of one segment, as `/jobs`, with all below it; or one route below such a path, which goes before it
 */
export function defineErrorForm(path: string, form: ErrorForm): void {
  forms.set(path, form);
}

/** The form of the path of a request; undefined: RFC 9457 as everywhere. */
export function errorFormOf(url: string): ErrorForm | undefined {
  if (forms.size === 0) return undefined;
  const path = pathOf(url);
  const end = path.indexOf('/', 1);
  return forms.get(path) ?? (end < 0 ? undefined : forms.get(path.slice(0, end)));
}

/** What a plain error says, and by which status, where that differs. */
export interface PlainError {
  error: string;
  status?: number;
}

/**
 * `{"error":"…"}`, to the byte and with `charset=utf-8`.
 * @param texts by the slug of the problem, else by its status
 */
export function plainErrors(texts: Readonly<Record<string, PlainError>>): ErrorForm {
  return (problem) => {
    const { error, status = problem.status } = texts[problem.slug] ??
      texts[problem.status] ?? { error: problem.definition.title };
    return {
      contentType: 'application/json; charset=utf-8',
      status,
      text: JSON.stringify({ error }),
      headers: status === 503 ? { 'retry-after': '1' } : undefined,
    };
  };
}

/** RFC 9457 with `code` in snake case, as `not_found`. */
export const snakeCaseCodes: ErrorForm = ({ slug }, told) => ({
  contentType: 'application/problem+json',
  text: `${JSON.stringify({ ...told, code: slug.replaceAll('-', '_') })}\n`,
});
