import type { Problem } from '@glacis/http';
import { KubeError } from '@glacis/kube';
import { refusalOf } from './refusals.js';

const causes = [{ reason: 'NEEDS_SELF', field: '/graph/components/a/needs', message: 'of itself' }];
const errors = [{ code: 'NEEDS_SELF', path: '/graph/components/a/needs', message: 'of itself' }];
const denied = 'admission webhook "graphs.rampart.petuum.com" denied the request: NEEDS_SELF';

const told = (error: KubeError): Record<string, unknown> => (refusalOf(error) as Problem).toJSON();

describe('graph-apps.md 6.4: refusals', () => {
  test.each([403, 400, 500])(
    'a webhook is 422 with its own text and causes, whatever its status: %i',
    (status) => {
      const error = new KubeError('forbidden', denied, { status, causes });
      expect(told(error)).toMatchObject({
        status: 422,
        state: 'error redeploying graph',
        message: 'NEEDS_SELF',
        errors,
      });
    },
  );

  test('`Invalid` of the API server is 422 likewise, also without causes', () => {
    const error = new KubeError('invalid', 'spec.graph: Required value', { status: 422 });
    expect(told(error)).toMatchObject({ status: 422, message: error.message, errors: [] });
  });

  test('a conflict is 409', () => {
    const error = new KubeError('conflict', 'the object has been modified', { status: 409 });
    expect(told(error)).toMatchObject({ status: 409, state: 'error redeploying graph' });
  });

  test('a 403 of the API server itself is no refusal of the graph, and anything else is 500', () => {
    for (const status of [403, 404, 503, undefined]) {
      const error = new KubeError('forbidden', 'rampartgraphs is forbidden', { status });
      expect(told(error)).toMatchObject({ status: 500, message: error.message });
    }
    const other = new Error('of another kind');
    expect(refusalOf(other)).toBe(other);
  });
});
