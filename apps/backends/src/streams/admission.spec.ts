import type { ResolvedCertificate } from '@glacis/contracts';
import { status } from '@glacis/grpc';
import * as fc from 'fast-check';
import { refusalCodes, refusalOf, type AdmissionFacts } from './admission.js';
import { countRefusal, type RefusalCount } from './refusals.js';

const presented = {
  serial: '7',
  issuerId: 'aa',
  fingerprintSha256: 'ff',
  notAfter: new Date('2030-01-01'),
};
const resolved: ResolvedCertificate = {
  entityId: 'b',
  entityType: 'backend',
  tenant: 't',
  status: 'valid',
  notAfter: presented.notAfter,
  fingerprintSha256: 'ff',
  issuerId: 'aa',
  certFileSha512: [],
};
const ours = { tenant: 't', entityType: 'backend' } as const;
const good: AdmissionFacts = { presented, resolved, entityType: 'backend', backend: ours };

const resolvedBy = fc.oneof(
  fc.constantFrom('unknown' as const, 'unavailable' as const),
  fc.record({
    entityId: fc.constant('b'),
    entityType: fc.constantFrom('backend', 'cvm', 'party', 'service'),
    tenant: fc.constantFrom('t', 'u'),
    status: fc.constantFrom('valid' as const, 'revoked' as const, 'expired' as const),
    notAfter: fc.constant(presented.notAfter),
    fingerprintSha256: fc.constantFrom('ff', '00'),
    issuerId: fc.constantFrom('aa', 'bb'),
    certFileSha512: fc.constant<Buffer[]>([]),
  }),
);
const facts = fc.record({
  presented: fc.constant(presented),
  resolved: resolvedBy,
  entityType: fc.constantFrom('backend' as const, 'cvm' as const),
  backend: fc.constantFrom(
    ours,
    { ...ours, tenant: 'u' },
    { ...ours, entityType: 'cvm' as const },
    undefined,
  ),
});

describe('admission', () => {
  it('admits exactly the stored, valid certificate of a backend of the same tenant and of the type of the port', () => {
    expect(refusalOf(good)).toBeUndefined();
    fc.assert(
      fc.property(facts, (given) => {
        const { resolved: found, backend, entityType } = given;
        const admissible =
          typeof found !== 'string' &&
          found.status === 'valid' &&
          found.entityType === entityType &&
          backend?.entityType === entityType &&
          found.fingerprintSha256 === presented.fingerprintSha256 &&
          found.issuerId === presented.issuerId &&
          backend?.tenant === found.tenant;
        expect(refusalOf(given) === undefined).toBe(admissible);
      }),
    );
  });

  it('says nothing of entities to who does not hold the stored certificate', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const refusal = refusalOf(given);
        if (refusal === undefined || refusalCodes[refusal] !== status.PERMISSION_DENIED) return;
        expect(given.resolved).toMatchObject({
          status: 'valid',
          fingerprintSha256: 'ff',
          issuerId: 'aa',
        });
      }),
    );
  });
});

describe('refusals', () => {
  it('block from the third within 60 s on, for 60 s doubling to 15 min', () => {
    const start = Date.UTC(2026, 0, 1);
    let count: RefusalCount | undefined;
    let now = start;
    const blocks: number[] = [];
    for (let i = 0; i < 18; i++) {
      count = countRefusal(count, new Date(now));
      const blockedMs = (count.blockedUntil?.getTime() ?? 0) - now;
      if (blockedMs > 0) {
        blocks.push(blockedMs / 60_000);
        now += blockedMs;
      } else now += 1_000;
    }
    expect(blocks).toEqual([1, 2, 4, 8, 15, 15]);
  });

  it('never block whoever comes back at most twice a minute', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 60_001, max: 600_000 }), { maxLength: 30 }),
        (gaps) => {
          let now = Date.UTC(2026, 0, 1);
          let count: RefusalCount | undefined;
          for (const gap of gaps) {
            count = countRefusal(count, new Date(now));
            count = countRefusal(count, new Date(now + 1));
            expect(count.blockedUntil).toBeNull();
            now += gap;
          }
        },
      ),
    );
  });
});
