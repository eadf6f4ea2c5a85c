/** The members of Jest's aggregated result that the summary needs. */
interface Results {
  numPassedTests: number;
  numFailedTests: number;
  numRuntimeErrorTestSuites: number;
}

/** Jest reporter whose one line ends the output: `12 passed, 0 failed`. A file that could not run counts as failed. */
export default class SummaryReporter {
  onRunComplete(_contexts: unknown, results: Results): void {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    // Jest's own summary comes after all other reporters.
    process.once('exit', () => {
      process.stdout.write(`${results.numPassedTests} passed, ${failed} failed\n`);
    });
  }
}
