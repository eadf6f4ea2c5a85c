export { createHttpApp, type HttpAppOptions } from './app.js';
export type { Authenticate } from './admission.js';
export type { Caller, Principal, Visitor } from './caller.js';
export { CallerParam, RequestParam } from './caller-param.js';
export { leaveBodies } from './content-type.js';
export type { RouteDocument } from './documented-routes.js';
export {
  Operation,
  type Access,
  type BinaryReply,
  type OperationConfig,
  type OperationOptions,
} from './operation.js';
export {
  defineProblem,
  Problem,
  problemCatalogue,
  type ProblemDefinition,
  type ProblemFactory,
  type ProblemMore,
} from './problem.js';
export { equipServer } from './equip-server.js';
export {
  defineErrorForm,
  plainErrors,
  snakeCaseCodes,
  type ErrorForm,
  type ErrorReply,
  type PlainError,
} from './error-forms.js';
export { problems } from './problems.js';
export { malformedBy, zBody, zParam, zQuery } from './validation.js';
export { freeText, pageQuery, plainText, trimmedText } from './text.js';
export { checkIfMatch, etagOf } from './etag.js';
export { httpSettings, type HttpSettings } from './settings.js';
export { addDocumentRoute, type About } from './system-routes.js';
export { sendAnswer, type Answer } from './answer.js';
export { Idempotency, idempotencyMigrations } from './idempotency.js';
export { IdempotencyParam, type IdempotentRequest } from './idempotent-request.js';
export { openApiDocument, problemsMember, type OpenApiOptions } from './openapi.js';
