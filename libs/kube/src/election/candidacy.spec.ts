import fc from 'fast-check';
import { Candidacy } from './candidacy.js';

const leaseMs = 15_000;
const renewDeadlineMs = 10_000;
const retryMs = 2_000;

/** One way to the server and back; `lost` is an answer that never arrives, though the write happened. */
interface Trip {
  there: number;
  back: number;
  lost: boolean;
  /** How long the process stands still after it. */
  pause: number;
}

interface Claim {
  by: number;
  from: number;
  until: number;
}

interface Register {
  version: number;
  holder: string;
  exists: boolean;
}

/** A candidate on a clock of its own, as an agenda of things that happen at a time of the world. */
class SimulatedCandidate {
  readonly claims: Claim[] = [];
  private readonly candidacy: Candidacy;

  constructor(
    private readonly me: number,
    private readonly clockOffset: number,
    private readonly world: World,
  ) {
    this.candidacy = new Candidacy(String(me));
  }

  /** One look at the lease, and a write where that is allowed. */
  attempt(at: number): void {
    const look = this.world.trip();
    this.world.at(at + look.there, (reading) => {
      const read = { ...this.world.register };
      const decidedAt = reading + look.back + look.pause;
      if (look.lost) return this.world.at(reading + 5_000, (now) => this.attempt(now));
      this.world.at(decidedAt, (now) => this.decide(read, now));
    });
  }

  private decide(read: Register, now: number): void {
    const lease = {
      resourceVersion: String(read.version),
      holder: read.holder,
      durationMs: leaseMs,
    };
    const leads = this.claims.some(({ from, until }) => from <= now && now < until);
    const mine = read.exists && read.holder === String(this.me);
    if (leads && !mine) this.claims.at(-1)!.until = now;
    if (read.exists && !this.candidacy.mayTake(lease, now + this.clockOffset)) {
      return this.world.at(now + retryMs, (later) => this.attempt(later));
    }
    const write = this.world.trip();
    this.world.at(now + write.there, (writing) => {
      const { register } = this.world;
      const same = register.exists === read.exists && register.version === read.version;
      if (same)
        Object.assign(register, {
          version: register.version + 1,
          holder: read.exists ? String(this.me) : 'unknown',
          exists: true,
        });
      const answered = writing + write.back + write.pause;
      this.world.at(answered + retryMs, (later) => this.attempt(later));
      if (!same || !read.exists || write.lost) return;
      // The holder counts from before it sent the write.
      const until = now + renewDeadlineMs;
      if (answered < until) this.claims.push({ by: this.me, from: answered, until });
    });
  }
}

class World {
  readonly register: Register = { version: 1, holder: '', exists: false };
  private agenda: { at: number; what: (now: number) => void }[] = [];

  constructor(private readonly trips: Trip[]) {}

  trip(): Trip {
    return this.trips.shift() ?? { there: 5, back: 5, lost: false, pause: 0 };
  }

  at(time: number, what: (now: number) => void): void {
    this.agenda.push({ at: time, what });
  }

  run(untilMs: number): void {
    for (;;) {
      this.agenda.sort((one, other) => one.at - other.at);
      const next = this.agenda.shift();
      if (!next || next.at > untilMs) return;
      next.what(next.at);
    }
  }
}

/** Mostly quick, as those of a candidate whose leader is cut off. */
const way = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 50 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 20_000 }) },
);
const trip = fc.record({
  there: way,
  back: way,
  lost: fc.constantFrom(false, false, false, true),
  pause: fc.constantFrom(...Array<number>(8).fill(0), 3_000, 30_000),
});

describe('candidacy', () => {
  const overlaps = (claims: Claim[]) => {
    const sorted = claims.toSorted((one, other) => one.from - other.from);
    return sorted.filter((claim, i) =>
      sorted.slice(0, i).some((earlier) => earlier.by !== claim.by && earlier.until > claim.from),
    );
  };

  it('lets no two lead at once, whatever clocks show, networks delay and lose, and processes pause', () => {
    fc.assert(
      fc.property(
        fc.array(trip, { maxLength: 80, size: 'max' }),
        fc.array(fc.integer({ min: -1e9, max: 1e9 }), { minLength: 2, maxLength: 4 }),
        fc.option(fc.integer({ min: 0, max: 400_000 })),
        (trips, offsets, deletedAt) => {
          const world = new World([...trips]);
          const candidates = offsets.map((offset, i) => new SimulatedCandidate(i, offset, world));
          candidates.forEach((candidate, i) => candidate.attempt(i * 100));
          world.at(deletedAt ?? Infinity, () => (world.register.exists = false));
          world.run(600_000);
          const claims = candidates.flatMap((candidate) => candidate.claims);
          expect(overlaps(claims)).toEqual([]);
          // After the disturbances somebody leads.
          if (trips.length < 10) expect(claims.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('takes at once what was released, and what is its own', () => {
    const lease = { resourceVersion: '5', holder: 'other', durationMs: leaseMs };
    const candidacy = new Candidacy('me');
    expect(candidacy.mayTake(lease, 0)).toBe(false);
    expect(candidacy.mayTake({ ...lease, resourceVersion: '6', holder: '' }, 1)).toBe(true);
    expect(candidacy.mayTake({ ...lease, resourceVersion: '7', holder: 'me' }, 2)).toBe(true);
  });

  it('waits for the duration that the holder has written, from the last change that it saw', () => {
    const lease = { resourceVersion: '5', holder: 'other', durationMs: 30_000 };
    const candidacy = new Candidacy('me');
    expect(candidacy.mayTake(lease, 1_000)).toBe(false);
    expect(candidacy.mayTake(lease, 30_999)).toBe(false);
    expect(candidacy.mayTake({ ...lease, resourceVersion: '6' }, 31_000)).toBe(false);
    expect(candidacy.mayTake({ ...lease, resourceVersion: '6' }, 60_999)).toBe(false);
    expect(candidacy.mayTake({ ...lease, resourceVersion: '6' }, 61_000)).toBe(true);
  });
});
