import type { IncomingMessage } from 'node:http';
import { problems, type Problem } from '@glacis/http';

/** Bytes of a body at hand at most: what an operation of a service takes. */
const maxAtHand = 64 * 1024;

/** The body of a request on its way to a service: read only as fast as it is taken, and within a bound. */
export class RequestBody implements AsyncIterable<Buffer> {
  private constructor(
    private readonly raw: IncomingMessage,
    private readonly limit: number,
  ) {}

  /**
   * Null when the request has none.
   * @throws {Problem} `too-large` (413) when its announced length is over the limit
   */
  static of(raw: IncomingMessage, limit: number): RequestBody | null {
    const length = raw.headers['content-length'];
    if (raw.headers['transfer-encoding'] === undefined && Number(length ?? 0) === 0) return null;
    if (Number(length ?? 0) > limit) throw tooLarge(limit);
    return new RequestBody(raw, limit);
  }

  /** All of it, to have it at hand for several tries; as it is where it is too long for that. */
  async atHand(): Promise<RequestBody | Buffer> {
    const length = Number(this.raw.headers['content-length'] ?? Number.POSITIVE_INFINITY);
    if (length > maxAtHand) return this;
    const chunks: Buffer[] = [];
    for await (const chunk of this) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    let length = 0;
    // A service that answers early leaves the rest unread; the connection is still needed for the answer.
    for await (const chunk of this.raw.iterator({
      destroyOnReturn: false,
    }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > this.limit) throw tooLarge(this.limit);
      yield chunk;
    }
  }
}

function tooLarge(limit: number): Problem {
  return problems.tooLarge(`the body is longer than ${limit} bytes`);
}
