import * as fc from 'fast-check';
import { ConsoleLines } from './console-lines.js';

function linesOf(...chunks: (string | Buffer)[]): string[] {
  const heard: string[] = [];
  const lines = new ConsoleLines((line) => heard.push(line));
  for (const chunk of chunks) lines.push(Buffer.from(chunk));
  lines.end();
  return heard;
}

it('lines come whole however they are cut, without what steers a terminal', () => {
  expect(linesOf('\u001b[2J\u001b[01;01Hone\r', '\ntw', 'o\n\n \r\nthree')).toEqual([
    'one',
    'two',
    'three',
  ]);
  expect(linesOf('\u001b[31mred\u001b[0m\u0007\u0000\tend')).toEqual(['red\tend']);
});

it('a line without an end comes in pieces of 1024 bytes', () => {
  expect(linesOf('x'.repeat(2_500)).map((line) => line.length)).toEqual([1024, 1024, 452]);
});

it('nothing but control characters and blank lines is lost, whatever comes in which pieces', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 3_000 })), (chunks) => {
      const heard = linesOf(...chunks.map((chunk) => Buffer.from(chunk)));
      for (const line of heard) {
        expect(Buffer.byteLength(line)).toBeLessThanOrEqual(3 * 1024);
        expect(line).not.toMatch(/(?!\t)\p{Cc}/u);
      }
    }),
  );
  const text = fc.stringMatching(/^[a-z ]{1,50}[a-z]$/);
  fc.assert(
    fc.property(fc.array(text), fc.nat(20), (wanted, size) => {
      const bytes = wanted.map((line) => `${line}\n`).join('');
      const cut = bytes.match(new RegExp(`[^]{1,${size + 1}}`, 'g')) ?? [];
      expect(linesOf(...cut)).toEqual(wanted);
    }),
  );
});
