import type { Services, Surroundings } from './compose.js';

/** Says whether the service can work: readiness and the life of its CAs (`certificates.md` 11). */
export function observe(services: Services, around: Surroundings): void {
  const { authority, responders, safe, internalPort, estPort } = services;
  const { health, store, metrics, clock } = around;
  health.add('certificates database', () => store.ping());
  health.add('certificates kek', () => safe.assertOpenable());
  // A key that is lost stops nobody else's.
  health.add('certificates keys', () => safe.assertWhole(), { essential: false });
  health.add('certificates issuer', () => {
    authority.cas.current();
  });
  health.add('certificates responders', () => {
    const without = authority.cas
      .answering()
      .find((ca) => ca.issuer !== null && responders.of(ca.id) === undefined);
    if (without !== undefined) throw new Error(`issuer ${without.id} has no OCSP responder`);
  });
  health.add('certificates.internal_port', () => {
    if (!internalPort.isReady) throw new Error('not open yet');
  });
  health.add('certificates.est_port', () => {
    if (!estPort.isReady) throw new Error('not open yet');
  });
  metrics.observeCas(() =>
    [...authority.cas.roots(), ...authority.cas.intermediates()].map((ca) => ({
      issuer: ca.id,
      seconds: (ca.info.notAfter.getTime() - clock.now().getTime()) / 1000,
    })),
  );
}
