import { readFileSync } from 'node:fs';
import { isPassedOn, serviceRoutes, type ServiceRoutes } from './service-routes.js';

interface Operation {
  security?: unknown[];
}

const file = new URL('../../../../docs/openapi.json', import.meta.url);
const { paths } = JSON.parse(readFileSync(file, 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
};

/** What the door serves itself. */
const own =
  /^\/($|ui$|openapi\.json|problems|services|tokens|\.well-known\/|(audit|events)\/gateway(\/|$))/;

const services: ServiceRoutes[] = Object.values(serviceRoutes);

test('every route of the suite is the door’s own or passed on to one service', () => {
  for (const path of Object.keys(paths)) {
    const to = services.filter((routes) => isPassedOn(routes, path));
    expect([path, to.length]).toEqual([path, own.test(path) ? 0 : 1]);
  }
});

test('what is passed on without a token is what the services give to everybody', () => {
  const open = services.map(({ open: patterns }) => ({ guarded: [], open: patterns }));
  for (const [path, operations] of Object.entries(paths)) {
    if (own.test(path)) continue;
    const isOpen = open.some((routes) => isPassedOn(routes, path));
    for (const [verb, operation] of Object.entries(operations)) {
      expect([verb, path, isOpen]).toEqual([verb, path, !operation.security]);
    }
  }
});
