import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** The members of Jest's result of one file that tell what failed in it. */
export interface FileResult {
  testFilePath: string;
  /** Of a file that could not run at all. */
  testExecError?: { message?: string } | null;
  testResults: { fullName: string; status: string; failureMessages: string[] }[];
}

/** Failures that are told one by one. */
const maxTold = 8;
/** Lines of each message. */
const maxLines = 6;

/**
 * What failed, a few lines for each: name, file, the beginning of the message, and the first line of its stack in a test.
 * @param root folder that the files are named from
 */
export function describeFailures(files: readonly FileResult[], root: string): string[] {
  const failures = files.flatMap((file) => failuresOf(file, relative(root, file.testFilePath)));
  const more = failures.length - maxTold;
  return [...failures.slice(0, maxTold).flat(), ...(more > 0 ? [`and ${more} more failed`] : [])];
}

function failuresOf(file: FileResult, path: string): string[][] {
  const failed = file.testResults.filter(({ status }) => status === 'failed');
  if (failed.length > 0) {
    return failed.map(({ fullName, failureMessages }) => [
      `failed: ${path}: ${fullName}`,
      ...beginning(failureMessages[0] ?? ''),
    ]);
  }
  const message = file.testExecError?.message;
  return message === undefined ? [] : [[`failed: ${path}: did not run`, ...beginning(message)]];
}

const isCall = (line: string): boolean => /^\s+at /.test(line);

/** Of a message with its stack. */
function beginning(text: string): string[] {
  const lines = stripVTControlCharacters(text).split('\n');
  const said = lines.filter((line) => line.trim() !== '' && !isCall(line));
  const place = lines.find((line) => isCall(line) && /\.(spec|cluster)\.ts:/.test(line));
  return [...said.slice(0, maxLines), ...(place === undefined ? [] : [place.trim()])].map(
    (line) => `    ${line}`,
  );
}
