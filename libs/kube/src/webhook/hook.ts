/** What a handler is told beside the review. */
export interface HookContext {
  /** Aborted when nobody waits for the answer any more. */
  signal: AbortSignal;
  /** Of the API server's request, for whatever the handler calls. */
  traceparent: string;
}

/** How a review ended, in metrics. */
export type ReviewResult = 'allowed' | 'denied' | 'converted' | 'failed' | 'timeout';

export interface ReviewAnswer {
  /** The review with its response. */
  body: object;
  result: ReviewResult;
}

/** A review that was understood. */
export interface Review {
  /** What it is about, for logs; nothing of the object's content. */
  subject: Record<string, string | number>;
  decide(context: HookContext): Promise<ReviewAnswer>;
  /** The answer when `decide` has thrown, or has not come in time. */
  failed(status: ReviewStatus): object;
}

/** Of a refusal (meta/v1 Status). `kubectl` shows the message. */
export interface ReviewStatus {
  /** HTTP status of the refused request. */
  code: number;
  /** One word, or what a contract asks for. */
  reason: string;
  /** Absent: API servers show the reason. */
  message?: string;
  details?: { causes: RefusalCause[] };
}

/** One thing that is wrong with an object. */
export interface RefusalCause {
  /** Stable code. */
  reason: string;
  /** Such as `spec.graph.components[0].name`. */
  field: string;
  message: string;
}

/** What a path of the webhook server answers: made by `validating`, `mutating` and `converting`. Undefined for what is no review of its kind. */
export type Hook = (body: unknown) => Review | undefined;

/** Objects are passed on as they came. */
export const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
