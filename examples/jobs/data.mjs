// Makes the synthetic files of this example anew: `node examples/jobs/data.mjs`. One seed, so the same bytes each time.
import { writeFileSync } from 'node:fs';

/** Numbers from 0 up to 1, one sequence for each seed (mulberry32). */
function numbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}

const wards = ['medicine', 'surgery', 'maternity', 'paediatrics'];
const dayMs = 86_400_000;

function visits(random, patients) {
  const lines = ['patient,age,ward,admitted,cost,readmitted'];
  for (const patient of patients) {
    const ward = wards[Math.floor(random() * wards.length)];
    const age = ward === 'paediatrics' ? Math.floor(random() * 16) : 16 + Math.floor(random() * 75);
    const admitted = new Date(Date.UTC(2026, 0, 1) + Math.floor(random() * 180) * dayMs);
    const cost = (200 + random() * 7800).toFixed(2);
    const readmitted = random() < 0.15 ? 'yes' : 'no';
    lines.push([patient, age, ward, admitted.toISOString().slice(0, 10), cost, readmitted].join());
  }
  return `${lines.join('\n')}\n`;
}

const random = numbers(20261122);
for (const [name, rows] of [
  ['north', 120],
  ['south', 90],
  ['west', 60],
]) {
  const patients = Array.from(
    { length: rows },
    (_, i) => `${name}-${String(i + 1).padStart(4, '0')}`,
  );
  writeFileSync(new URL(`${name}.csv`, import.meta.url), visits(random, patients));
}
