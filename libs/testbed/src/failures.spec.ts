import { describeFailures, type FileResult } from './failures.js';

const message = [
  'Error: \u001b[31mwaited 60000 ms for 20 writes\u001b[39m',
  '    at waitFor (/repo/libs/runtime/src/wait-for.ts:32:13)',
  '    at suffer (/repo/apps/glacis/test/chart.cluster.ts:88:5)',
  '    at Object.<anonymous> (/repo/apps/glacis/test/chart.cluster.ts:154:5)',
].join('\n');

const file = (testResults: FileResult['testResults']): FileResult => ({
  testFilePath: '/repo/apps/glacis/test/chart.cluster.ts',
  testResults,
});
const test = (fullName: string, failureMessages: string[] = []): FileResult['testResults'][0] => ({
  fullName,
  status: failureMessages.length > 0 ? 'failed' : 'passed',
  failureMessages,
});

it('names each failed test with its file, the message and the place in the test', () => {
  const files = [file([test('is ready'), test('under load a node is drained', [message])])];
  expect(describeFailures(files, '/repo')).toEqual([
    'failed: apps/glacis/test/chart.cluster.ts: under load a node is drained',
    '    Error: waited 60000 ms for 20 writes',
    '    at suffer (/repo/apps/glacis/test/chart.cluster.ts:88:5)',
  ]);
  expect(describeFailures([file([test('is ready')])], '/repo')).toEqual([]);
});

it('names a file that could not run', () => {
  const files = [{ ...file([]), testExecError: { message: 'Cannot find module' } }];
  expect(describeFailures(files, '/repo')).toEqual([
    'failed: apps/glacis/test/chart.cluster.ts: did not run',
    '    Cannot find module',
  ]);
});

it('tells the beginning of long messages, and counts what is more than fits', () => {
  const long = Array.from({ length: 100 }, (_, index) => `line ${index}`).join('\n');
  const lines = describeFailures(
    [file(Array.from({ length: 30 }, (_, index) => test(`test ${index}`, [long])))],
    '/repo',
  );
  expect(lines).toHaveLength(8 * 7 + 1);
  expect(lines.at(-1)).toBe('and 22 more failed');
});
