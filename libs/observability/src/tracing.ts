import type { RecordedSpan, Recorder, SpanAttributes, SpanStart } from './recorder.js';
import { newTraceparent, parseTraceparent } from './traceparent.js';

export interface TracingOptions {
  /** `service.name` of the resource. */
  service: string;
  /** OTLP collector, as `http://127.0.0.1:4318`. Without one nothing is recorded, and no SDK is loaded. */
  endpoint?: string;
}

/** Trace context always travels on; spans are recorded and exported only when an endpoint is configured. */
export class Tracing {
  /** Resolves when the exporter, if any, is loaded. Spans started earlier are not recorded. */
  readonly ready: Promise<void>;
  private recorder: Recorder | undefined;

  constructor(options: TracingOptions) {
    this.ready = this.load(options);
  }

  /** False: `start` costs nothing and its spans go nowhere. */
  get recording(): boolean {
    return this.recorder !== undefined;
  }

  /** For work whose end is another call, as in hooks. */
  start(
    name: string,
    parent: string | undefined,
    attributes: SpanAttributes,
    kind: SpanStart['kind'] = 'internal',
  ): RecordedSpan {
    if (this.recorder) return this.recorder.start({ name, parent, attributes, kind });
    const traceparent =
      parent !== undefined && parseTraceparent(parent) ? parent : newTraceparent();
    return { traceparent, end: () => undefined };
  }

  /** Runs `work` inside a span; a throw marks it as failed and passes through. */
  async span<T>(
    name: string,
    parent: string | undefined,
    attributes: SpanAttributes,
    work: (span: { traceparent: string }) => Promise<T>,
  ): Promise<T> {
    const span = this.start(name, parent, attributes);
    try {
      const result = await work(span);
      span.end();
      return result;
    } catch (error) {
      span.end(error);
      throw error;
    }
  }

  /** Sends what is still queued; bounded by the exporter's own timeout. */
  async close(): Promise<void> {
    await this.ready;
    await this.recorder?.close();
    this.recorder = undefined;
  }

  private async load(options: TracingOptions): Promise<void> {
    if (!options.endpoint) return;
    const { otelRecorder } = await import('./otel.js');
    this.recorder = otelRecorder(options.service, options.endpoint.replace(/\/+$/, ''));
  }
}
