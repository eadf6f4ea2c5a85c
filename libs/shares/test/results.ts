import { writeCsv, type PartyCount, type ShareFile, type StoredForm } from '../src/index.js';

/** A column of a result: opened values as they stand in the file. */
export interface Column extends StoredForm {
  name: string;
  values: readonly bigint[];
}

const MASK = (1n << 64n) - 1n;

function drawn(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0]!;
}

/** Slots of one value: uniform but for the first. */
function slotsOf(value: bigint, form: StoredForm['form'], parties: number): bigint[] {
  const rest = Array.from({ length: parties - 1 }, drawn);
  const first =
    form === 'boolean'
      ? rest.reduce((left, slot) => left ^ slot, value)
      : rest.reduce((left, slot) => left - slot, value);
  return [first & MASK, ...rest];
}

/** The words of every party as the agents export them (jobs.md 7.3). */
export function resultShares(columns: readonly Column[], parties: PartyCount = 3): ShareFile[] {
  const rows = columns[0]?.values.length ?? 0;
  const files = Array.from({ length: parties }, (): ShareFile => ({ rows, columns: new Map() }));
  for (const { name, form, bits, values } of columns) {
    const slots = values.map((value) => slotsOf(value, form, parties));
    for (const part of bits === 64 ? ['', '#hi'] : ['']) {
      const header = form === 'boolean' ? `[${name}${part}]` : `${name}${part}`;
      const shift = part === '' ? 0n : 32n;
      files.forEach((file, party) => {
        for (let j = 0; j < parties - 1; j += 1) {
          const slot = (party + j) % parties;
          const words = slots.map((all) => Number(BigInt.asIntN(32, all[slot]! >> shift)));
          file.columns.set(`${header}_${j}`, Int32Array.from(words));
        }
      });
    }
  }
  return files;
}

export const resultFiles = (columns: readonly Column[], parties?: PartyCount): Uint8Array[] =>
  resultShares(columns, parties).map(writeCsv);
