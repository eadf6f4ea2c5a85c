/** What the demo asks (jobs.md 2.2). */
export const analysis = {
  analysis_name: 'ages by region',
  query_sql: 'SELECT region, COUNT(*) AS people, AVG(age) AS age FROM people GROUP BY region',
  security_level: 'semi',
  cloud_providers: ['aws', 'gcp', 'azure'],
  schema: {
    region: { type: 'CATEGORY', categories: ['north', 'south', 'west'] },
    age: { type: 'INTEGER', unit: 'years', min: 0, max: 150 },
  },
};

interface Person {
  region: string;
  age: number;
}

/** 40 people, two of them of the third owner live in the west. */
const people = (youngest: number, westerners: number): Person[] =>
  Array.from({ length: 40 }, (_, i) => ({
    region: i < westerners ? 'west' : i % 3 === 0 ? 'north' : 'south',
    age: youngest + ((i * 7) % 50),
  }));

/** By owner: what nobody else may see. */
export const owners: Readonly<Record<string, Person[]>> = {
  'hospital a': people(20, 0),
  'hospital b': people(31, 0),
  'hospital c': people(25, 2),
};

export const csvOf = (owner: string): string =>
  ['region,age', ...(owners[owner] ?? []).map(({ region, age }) => `${region},${age}`), ''].join(
    '\n',
  );

/** What the query gives in the clear: groups of five people or more, the mean rounded half away from zero. */
export function averages(): string[] {
  const all = Object.values(owners).flat();
  return ['north', 'south', 'west'].flatMap((name) => {
    const ages = all.filter(({ region }) => region === name).map(({ age }) => age);
    const mean = Math.round((100 * ages.reduce((a, b) => a + b, 0)) / ages.length) / 100;
    return ages.length < 5 ? [] : [`${name} ${ages.length} ${mean.toFixed(2)}`];
  });
}
