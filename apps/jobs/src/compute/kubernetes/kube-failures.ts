import { isKubeError, type KubeErrorCode } from '@glacis/kube';
import { ProviderError, type ProviderErrorCode } from '../../storage/provider-error.js';

const codes: Partial<Record<KubeErrorCode, ProviderErrorCode>> = {
  alreadyExists: 'exists',
  notFound: 'not_found',
  unauthorized: 'denied',
  forbidden: 'denied',
  invalid: 'invalid',
  timeout: 'timeout',
};

/** The error of a call of the Kubernetes API in the words of providers; what the cluster said stays with the cause. */
export function failureOf(error: unknown): unknown {
  if (!isKubeError(error)) return error;
  return new ProviderError(codes[error.code] ?? 'unavailable', 'the cluster did not do it', error);
}
