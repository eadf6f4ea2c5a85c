// {request, httpStatus, response}: what the validating webhook answers to an AdmissionReview.
import { validateReview } from '../../libs/graphs/dist/index.js';
import { clusterOf } from './context.mjs';
import { unexpected } from './faults.mjs';

export function fits(input) {
  return 'request' in input && 'httpStatus' in input && input.request?.kind !== 'ConversionReview';
}

export function run({ request: review, context = {}, httpStatus, response }) {
  const recorded = { httpStatus, response };
  const { apiVersion, kind, request } = review;
  if (kind !== 'AdmissionReview' || !request) {
    return { recorded, ours: { httpStatus: 400, response: null } };
  }
  const answer = { ...validateReview(request, clusterOf(context), unexpected), uid: request.uid };
  return { recorded, ours: { httpStatus: 200, response: { apiVersion, kind, response: answer } } };
}
