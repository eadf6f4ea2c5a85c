// {request, httpStatus, response}: what the conversion webhook answers to a ConversionReview.
import { call } from '../webhooks.mjs';

export function fits({ request }) {
  return request?.kind === 'ConversionReview';
}

export async function run({ request, httpStatus, response }) {
  const answer = await call('/conversion', request);
  const ours = { httpStatus: answer.httpStatus, response: answer.response };
  return { recorded: { httpStatus, response }, ours };
}
