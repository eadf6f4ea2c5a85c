export { openAccess, type Access, type AccessOptions, type Credentials } from './api/access.js';
export {
  ApiServer,
  type ApiServerOptions,
  type Call,
  type CallTrace,
  type Fence,
} from './api/api-server.js';
export {
  isKubeError,
  KubeError,
  type KubeCause,
  type KubeErrorCode,
  type KubeErrorDetails,
} from './api/kube-error.js';
export * from './api/objects.js';
export * from './api/resource-client.js';
export { apiVersionOf, builtIns, type ResourceType } from './api/resource-type.js';
export { compareVersions } from './informer/versions.js';
export type { WatchEvent } from './api/watch-events.js';
export {
  Informer,
  type ChangeHandler,
  type InformerOptions,
  type InformerSource,
} from './informer/informer.js';
export {
  byLabel,
  byOwner,
  type Change,
  type IndexFunction,
  type StoreReader,
} from './informer/store.js';
export { WorkQueue, type WorkQueueOptions } from './queue/work-queue.js';
export {
  Controller,
  type ControllerOptions,
  type Reconcile,
  type ReconcileContext,
  type ReconcileResult,
} from './controller/controller.js';
export { controllerKey, News, trigger, type Trigger } from './controller/trigger.js';
export { addFinalizer, dropFinalizer } from './controller/finalizers.js';
export {
  EventRecorder,
  type EventRecorderOptions,
  type Occurrence,
} from './controller/event-recorder.js';
export { LeaderElector, type LeaderElectorOptions } from './election/leader-elector.js';
export { Term } from './election/term.js';
export {
  customResourceDefinition,
  type ConversionService,
  type CustomResource,
  type OlderVersion,
  type PrinterColumn,
} from './crd/custom-resource.js';
export {
  atomic,
  dateTime,
  int64,
  keyedBy,
  preserveUnknown,
  rules,
  structuralSchema,
  type JsonSchema,
  type Rule,
} from './crd/structural-schema.js';
export * from './crd/conditions.js';
export * from './crd/core-v1.js';
export {
  mutating,
  refused,
  validating,
  type AdmissionRequest,
  type Mutation,
  type Refusal,
  type Verdict,
} from './webhook/admission.js';
export { CaBundles, type CaBundlesOptions, type RegistrationRef } from './webhook/ca-bundles.js';
export { ConversionError, converting, type Convert } from './webhook/conversion.js';
export { jsonPatch, type JsonPatchOperation } from './webhook/json-patch.js';
export type { Hook, HookContext, RefusalCause, ReviewStatus } from './webhook/hook.js';
export {
  credentialFiles,
  type CredentialFiles,
  type CredentialsSource,
  type ServingCredentials,
} from './webhook/serving-credentials.js';
export { WebhookServer, type WebhookServerOptions } from './webhook/webhook-server.js';
