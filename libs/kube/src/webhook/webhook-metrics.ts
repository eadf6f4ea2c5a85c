import type { Metrics } from '@glacis/observability';
import type { ReviewResult } from './hook.js';

/** How a request ended; `invalid` is no review, `rejected` too large or too many. */
export type HookResult = ReviewResult | 'invalid' | 'rejected' | 'aborted';

/** The series of a webhook server. */
export interface WebhookMetrics {
  begin(hook: string): { end(result: HookResult): void };
  serves(expiry: number): void;
}

export function webhookMetrics(metrics: Metrics): WebhookMetrics {
  const requests = metrics.counter({
    name: 'glacis_kube_webhook_requests_total',
    help: 'Reviews by their result: allowed, denied, converted, failed, timeout, invalid, rejected, aborted',
    labels: ['hook', 'result'],
  });
  const seconds = metrics.histogram({
    name: 'glacis_kube_webhook_seconds',
    help: 'Time from the head of a review to its answer',
    labels: ['hook'],
  });
  const expiry = metrics.gauge({
    name: 'glacis_kube_webhook_certificate_expiry_seconds',
    help: 'When the certificate that is served expires, in seconds since 1970',
  });
  return {
    begin: (hook) => {
      const started = performance.now();
      return {
        end: (result) => {
          requests.inc({ hook, result });
          seconds.observe({ hook }, (performance.now() - started) / 1000);
        },
      };
    },
    serves: (time) => expiry.set(time / 1000),
  };
}
