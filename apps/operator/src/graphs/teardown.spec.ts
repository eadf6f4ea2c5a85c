import fc from 'fast-check';
import { dependantsFirst } from './teardown.js';
import type { Namespace } from './work.js';

const place = (component: string, needs: string[]): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: `ns-${component}`,
    uid: component,
    resourceVersion: '1',
    labels: { 'glacis.dev/component': component },
    ...(needs.length > 0 && { annotations: { 'glacis.dev/needs': needs.join(',') } }),
  },
});

test('graph-apps.md 4.10: whoever needs others goes before them; marks in a circle hold nobody up', () => {
  const needs = fc.array(fc.array(fc.nat(9), { maxLength: 3 }), { maxLength: 10 });
  fc.assert(
    fc.property(needs, fc.boolean(), (given, circles) => {
      const places = given.map((all, index) =>
        place(
          `c${index}`,
          all.filter((each) => circles || each < index).map((each) => `c${each}`),
        ),
      );
      const rounds = dependantsFirst(places);
      expect(
        rounds
          .flat()
          .map(({ metadata }) => metadata.uid)
          .toSorted(),
      ).toEqual(places.map(({ metadata }) => metadata.uid).toSorted());
      if (circles) return;
      const roundOf = (uid: string): number =>
        rounds.findIndex((round) => round.some(({ metadata }) => metadata.uid === uid));
      given.forEach((all, index) => {
        for (const each of all.filter((other) => other < index)) {
          expect(roundOf(`c${index}`)).toBeLessThan(roundOf(`c${each}`));
        }
      });
    }),
  );
});
