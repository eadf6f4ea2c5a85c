import { isKubeError, type KubeError } from '@glacis/kube';
import { redeploymentConflict, redeploymentFailed, redeploymentRefused } from '../problems.js';

/** What the API server puts before the words of a webhook. */
const webhookPrefix = /^admission webhook ".*?" denied the request(?:: )?/;

/** What a deployment that the cluster did not take becomes (`graph-apps.md` 6.4). */
export function refusalOf(error: unknown): unknown {
  if (!isKubeError(error)) return error;
  const cause = { cause: error };
  if (error.status === 409) return redeploymentConflict(error.message, cause);
  if (isRefusal(error)) {
    const text = error.message.replace(webhookPrefix, '');
    return redeploymentRefused(text, { ...cause, members: { errors: errorsOf(error) } });
  }
  return redeploymentFailed(error.message, cause);
}

/** By a webhook, whatever status it gives, or by the API server's own check of the object. */
function isRefusal(error: KubeError): boolean {
  return webhookPrefix.test(error.message) || error.status === 422;
}

function errorsOf({ causes }: KubeError): { code: string; path: string; message: string }[] {
  return causes.map(({ reason: code = '', field: path = '', message = '' }) => ({
    code,
    path,
    message,
  }));
}
