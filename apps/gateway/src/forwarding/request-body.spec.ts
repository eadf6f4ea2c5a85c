import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { waitFor } from '@glacis/runtime';
import { startForwarding, type Forwarding } from '../../test/forwarding.js';
import { exchangeBytes } from '../../test/wire.js';

let forwarding: Forwarding;
let door: Forwarding['door'];
let backends: Forwarding['backends'];
let bearer: Forwarding['bearer'];
let authorized: Forwarding['authorized'];

beforeAll(async () => {
  forwarding = await startForwarding();
  ({ door, backends, bearer, authorized } = forwarding);
});

beforeEach(() => forwarding.reset());
afterAll(() => forwarding.close());

describe('bodies', () => {
  const piece = Buffer.alloc(64 * 1024, 'x');
  const total = 100 * 1024 ** 2;

  /** More than the buffers of all sockets on the way hold, and much less than a body. */
  const littleMemory = 32 * 1024 ** 2;

  /** A body on its way. */
  class Transfer {
    received = 0;
    /** The most that was sent and not received yet: what is held in between. */
    most = 0;
    private sent = 0;

    *pieces(): Generator<Buffer> {
      while (this.sent < total) {
        this.sent += piece.length;
        this.most = Math.max(this.most, this.sent - this.received);
        yield piece;
      }
    }
  }

  const send = (path: string, headers: Record<string, string>) =>
    httpRequest(`${door.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${bearer}`, ...headers },
    });

  test('of 100 MB stream both ways, no faster than the slower side and in little memory', async () => {
    await forwarding.withDoor(
      { backends: [backends.url], env: { GLACIS_GATEWAY_BODY_LIMIT: '101mb' } },
      async (wide) => {
        const [up, down] = [new Transfer(), new Transfer()];
        backends.handle = (raw, response) => {
          raw.on('data', (chunk: Buffer) => {
            up.received += chunk.length;
            // A reader that takes breaks.
            if (up.received % 16 === 0) {
              raw.pause();
              void setImmediate().then(() => raw.resume());
            }
          });
          raw.once('end', () => Readable.from(down.pieces()).pipe(response));
        };
        const request = httpRequest(`${wide.url}/backends`, {
          method: 'POST',
          headers: { authorization: `Bearer ${bearer}` },
        });
        Readable.from(up.pieces()).pipe(request);
        const [response] = (await once(request, 'response')) as [IncomingMessage];
        for await (const chunk of response) down.received += (chunk as Buffer).length;
        expect([up.received, down.received]).toEqual([total, total]);
        expect(up.most).toBeLessThan(littleMemory);
        expect(down.most).toBeLessThan(littleMemory);
      },
    );
  });

  test('wait for a client that does not read', async () => {
    let written = 0;
    let gone = false;
    backends.handle = (_request, response) => {
      const endless = new Readable({
        read() {
          written += piece.length;
          this.push(piece);
        },
      });
      pipeline(endless, response, () => (gone = true));
    };
    const request = send('/backends', {});
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let before = -1;
    await waitFor(
      () => {
        const stands = written === before;
        before = written;
        return stands;
      },
      { everyMs: 200 },
    );
    expect(written).toBeLessThan(littleMemory);
    response.destroy();
    await waitFor(() => gone);
  });

  test('over the limit of the door are 413, announced or not, and the service gets no whole one', async () => {
    await forwarding.withDoor(
      { backends: [backends.url], env: { GLACIS_GATEWAY_BODY_LIMIT: '1kb' } },
      async (narrow) => {
        let whole = 0;
        backends.handle = (raw, response) => {
          raw.resume().once('end', () => {
            whole += 1;
            response.end();
          });
        };
        const start = `POST /backends HTTP/1.1\r\n${authorized}`;
        const announced = await exchangeBytes(narrow.url, `${start}Content-Length: 1025\r\n\r\n`);
        expect(announced).toMatch(/^HTTP\/1.1 413 [^]*connection: close/i);
        expect(announced).toContain('"code":"too-large"');
        const chunk = `400\r\n${'x'.repeat(1024)}\r\n`;
        const inPieces = await exchangeBytes(
          narrow.url,
          `${start}Transfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`,
        );
        expect(inPieces).toMatch(/^HTTP\/1.1 413 [^]*"code":"too-large"/);
        const exact = await exchangeBytes(
          narrow.url,
          `${start}Connection: close\r\nContent-Length: 1024\r\n\r\n${'x'.repeat(1024)}`,
        );
        expect([exact.slice(0, 12), whole]).toEqual(['HTTP/1.1 200', 1]);
      },
    );
  });

  test("that a client breaks off are nobody else's failure, with an Idempotency-Key too", async () => {
    const request = send('/backends', { 'content-length': '10', 'idempotency-key': 'k' });
    request.on('error', () => undefined);
    request.write('half');
    await waitFor(() => request.socket?.connecting === false);
    const before = door.log().length;
    request.destroy();
    expect((await door.call('/backends', { bearer })).status).toBe(200);
    expect(door.log().slice(before)).not.toMatch(/"level":"error"/);
  });

  test('an answer that comes before the body has been read reaches the client', async () => {
    backends.handle = (_request, response) => {
      response.writeHead(413, { connection: 'close' }).end('too much');
    };
    const request = send('/backends', { 'content-length': String(total) });
    request.on('error', () => undefined);
    const answered = once(request, 'response') as Promise<[IncomingMessage]>;
    request.write(piece);
    const [response] = await answered;
    expect(response.statusCode).toBe(413);
    expect(response.headers.connection).toBe('close');
    request.destroy();
  });
});
