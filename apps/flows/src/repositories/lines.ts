/** The pieces of a stream between separators of one byte; what follows the last one is a piece too, unless empty. */
export async function* linesOf(
  source: AsyncIterable<Buffer>,
  separator: '\n' | '\0',
): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of source) {
    rest = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = rest.indexOf(separator); end !== -1; end = rest.indexOf(separator, start)) {
      yield rest.subarray(start, end);
      start = end + 1;
    }
    rest = rest.subarray(start);
  }
  if (rest.length > 0) yield rest;
}
