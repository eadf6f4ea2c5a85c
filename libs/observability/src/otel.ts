import {
  ROOT_CONTEXT,
  SpanKind as OtelKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Recorder, RecordedSpan, SpanStart } from './recorder.js';
import { formatTraceparent, parseTraceparent } from './traceparent.js';

const kinds = {
  server: OtelKind.SERVER,
  client: OtelKind.CLIENT,
  producer: OtelKind.PRODUCER,
  consumer: OtelKind.CONSUMER,
  internal: OtelKind.INTERNAL,
};

/** Records spans with the OpenTelemetry SDK and sends them by OTLP over HTTP. Loaded only when that is configured. */
export function otelRecorder(service: string, endpoint: string): Recorder {
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces` });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer('glacis');
  return {
    start(span: SpanStart): RecordedSpan {
      const parent = parseTraceparent(span.parent);
      const context = parent
        ? trace.setSpanContext(ROOT_CONTEXT, {
            traceId: parent.traceId,
            spanId: parent.spanId,
            traceFlags: parent.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
            isRemote: true,
          })
        : ROOT_CONTEXT;
      const options = { kind: kinds[span.kind], attributes: span.attributes };
      const recorded = tracer.startSpan(span.name, options, context);
      const { traceId, spanId, traceFlags } = recorded.spanContext();
      return {
        traceparent: formatTraceparent({
          traceId,
          spanId,
          sampled: (traceFlags & TraceFlags.SAMPLED) !== 0,
        }),
        end(error?: unknown, attributes?): void {
          if (attributes) recorded.setAttributes(attributes);
          if (error !== undefined) recorded.setStatus({ code: SpanStatusCode.ERROR });
          recorded.end();
        },
      };
    },
    close: () => provider.shutdown(),
  };
}
