/** Values that a span may carry. Never a token, a query secret or a body. */
export type SpanAttributes = Record<string, string | number | boolean>;

export interface SpanStart {
  name: string;
  /** Default `internal`. */
  kind: 'server' | 'client' | 'producer' | 'consumer' | 'internal';
  /** `traceparent` of the caller or the envelope; without a valid one a new trace begins. */
  parent: string | undefined;
  attributes: SpanAttributes;
}

export interface RecordedSpan {
  /** To be handed on to everything that this span causes. */
  readonly traceparent: string;
  /** @param error marks the span as failed; its text is not recorded */
  end(error?: unknown, attributes?: SpanAttributes): void;
}

/** What makes spans out of starts and ends. */
export interface Recorder {
  start(span: SpanStart): RecordedSpan;
  close(): Promise<void>;
}
