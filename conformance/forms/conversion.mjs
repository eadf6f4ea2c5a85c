// {request, httpStatus, response}: what the conversion webhook answers to a ConversionReview.
import { convertGraph } from '../../libs/graphs/dist/index.js';

export function fits({ request }) {
  return request?.kind === 'ConversionReview';
}

export function run({ request: review, httpStatus, response }) {
  const { apiVersion, kind, request } = review;
  const { uid, desiredAPIVersion, objects } = request;
  const converted = objects.map((object) => convertGraph(object, desiredAPIVersion));
  const answer = converted.includes(undefined)
    ? { result: { status: 'Failed', message: '<text>' } }
    : { result: { status: 'Success' }, convertedObjects: converted };
  const ours = { httpStatus: 200, response: { apiVersion, kind, response: { uid, ...answer } } };
  return { recorded: { httpStatus, response }, ours };
}
