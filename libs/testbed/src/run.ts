/** What the workers of a test run get to know of it, by environment variables that the global setup sets. */
export interface TestRun {
  /** Everything of the run lies in this folder, which is removed at the end. */
  folder: string;
  /** The maintenance database, as a user who may create databases. */
  adminUrl: string;
  /** The role that owns the databases of tests. */
  role: string;
  /** `host:port` of each, in a run of the cluster tests. */
  kafkaBrokers?: string[];
}

const variable = 'GLACIS_TEST_RUN';

export function announceRun(run: TestRun): void {
  process.env[variable] = JSON.stringify(run);
  // Whatever a test or a library makes among the temporary files goes with the run.
  process.env.TMPDIR = run.folder;
}

/** @throws {Error} outside of a run started through the repository's jest configuration */
export function currentRun(): TestRun {
  const text = process.env[variable];
  if (!text) {
    throw new Error('no test run: start the tests from the repository with its jest.config.mjs');
  }
  return JSON.parse(text) as TestRun;
}
