// The client, informers and controllers on one real API server.
import { jest } from '@jest/globals';
import { clientCases } from './client-cases.js';
import { controllerCases } from './controller-cases.js';
import { informerCases } from './informer-cases.js';
import { Stand } from './stand.js';

// The first run on a machine builds Kubernetes.
jest.setTimeout(3_600_000);

let stand: Stand;

beforeAll(async () => {
  stand = await Stand.open();
});
// What the cases have of it ends before.
afterEach(() => stand.tidy());
afterAll(() => stand?.close());

clientCases(() => stand);
controllerCases(() => stand);
// Also takes the API server away.
informerCases(() => stand);
