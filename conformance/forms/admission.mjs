// {request, httpStatus, response}: what the validating webhook answers to an AdmissionReview.
import { call } from '../webhooks.mjs';
import { clusterOf } from './context.mjs';

export function fits(input) {
  return 'request' in input && 'httpStatus' in input && input.request?.kind !== 'ConversionReview';
}

export async function run({ request, context = {}, httpStatus, response }) {
  const answer = await call('/validate', request, { cluster: clusterOf(context) });
  const ours = { httpStatus: answer.httpStatus, response: answer.response };
  return { recorded: { httpStatus, response }, ours };
}
