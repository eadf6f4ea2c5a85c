export { createLogger, LOGGER, type Logger, type LoggerOptions } from './logger.js';
export { NestLogger } from './nest-logger.js';
export { Histogram } from './histogram.js';
export { Metrics, type HistogramOptions, type MetricOptions } from './metrics.js';
export {
  serveHealth,
  type HealthAnswer,
  type HealthServer,
  type HealthServerOptions,
} from './health-server.js';
export { Health, type HealthCheck, type HealthEntry, type HealthReport } from './health.js';
export {
  formatTraceparent,
  newTraceparent,
  parseTraceparent,
  type TraceIds,
} from './traceparent.js';
export type { RecordedSpan, Recorder, SpanAttributes, SpanStart } from './recorder.js';
export { Tracing, type TracingOptions } from './tracing.js';
