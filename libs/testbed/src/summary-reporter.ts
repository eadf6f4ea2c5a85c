import { describeFailures, type FileResult } from './failures.js';

/** The members of Jest's aggregated result that the summary needs. */
interface Results {
  numPassedTests: number;
  numFailedTests: number;
  numRuntimeErrorTestSuites: number;
  testResults: FileResult[];
}

/**
 * Jest reporter that ends the output with what failed, in short, and with one line: `12 passed, 0 failed`. A file that could
 * not run counts as failed. What Jest itself tells of failures stands among what the tests print, or is longer than the end
 * of a record that one looks at.
 */
export default class SummaryReporter {
  constructor(private readonly config: { rootDir: string }) {}

  onRunComplete(_contexts: unknown, results: Results): void {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const lines = describeFailures(results.testResults, this.config.rootDir);
    // Jest's own summary comes after all other reporters.
    process.once('exit', () => {
      const last = `${results.numPassedTests} passed, ${failed} failed`;
      process.stdout.write(`${[...lines, last].join('\n')}\n`);
    });
  }
}
