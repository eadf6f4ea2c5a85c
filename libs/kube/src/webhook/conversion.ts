import { z } from 'zod';
import type { KubeObject } from '../api/objects.js';
import { isObject, type Hook, type HookContext, type Review } from './hook.js';

/** Thrown by a conversion that cannot be: the whole review fails, and whoever asked for the object reads the message. */
export class ConversionError extends Error {
  override readonly name = 'ConversionError';
}

/**
 * Makes another version of an object. Server-side apply sends objects with parts of `spec` only, or without one. Its
 * metadata may change in labels and annotations alone. Integers beyond 2^53 lose their last digits, as in all JSON here.
 * @param apiVersion the version that is asked for; never the object's own
 * @throws {ConversionError}
 */
export type Convert = (
  object: KubeObject,
  apiVersion: string,
  context: HookContext,
) => KubeObject | Promise<KubeObject>;

const noMetadata = { metadata: {} };

// Both versions of the review say the same.
const reviewSchema = z.object({
  apiVersion: z.enum(['apiextensions.k8s.io/v1', 'apiextensions.k8s.io/v1beta1']),
  kind: z.literal('ConversionReview'),
  request: z.object({
    uid: z.string().min(1),
    desiredAPIVersion: z.string().min(1),
    objects: z.array(z.custom<KubeObject>(isObject)),
  }),
});

/** Converts objects of a CRD between its versions, in their order; all of them or none. */
export function converting(convert: Convert): Hook {
  return (body): Review | undefined => {
    const { data } = reviewSchema.safeParse(body);
    if (!data) return undefined;
    const { uid, desiredAPIVersion: apiVersion, objects } = data.request;
    const answer = (response: object): object => ({
      apiVersion: data.apiVersion,
      kind: data.kind,
      response: { uid, ...response },
    });
    const failure = (message: string): object => answer({ result: { status: 'Failed', message } });
    const one = async (object: KubeObject, context: HookContext): Promise<KubeObject> => {
      if (object.apiVersion === apiVersion) return object;
      // Server-side apply sends objects without metadata, and API servers take none back without.
      return { ...noMetadata, ...(await convert(object, apiVersion, context)), apiVersion };
    };
    return {
      subject: { apiVersion, objects: objects.length },
      decide: async (context) => {
        try {
          const convertedObjects: KubeObject[] = [];
          for (const object of objects) convertedObjects.push(await one(object, context));
          const converted = answer({ result: { status: 'Success' }, convertedObjects });
          return { body: converted, result: 'converted' };
        } catch (error) {
          if (!(error instanceof ConversionError)) throw error;
          return { body: failure(error.message), result: 'denied' };
        }
      },
      failed: ({ message, reason }) => failure(message ?? reason),
    };
  };
}
