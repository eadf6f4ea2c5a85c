import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManagerClient, status } from '@glacis/grpc';
import { ScriptedServer } from '../../test/scripted-server.js';
import { TestCa } from '../../test/test-ca.js';
import { createLog } from '../log.js';
import { ServerRevocation } from './server-revocation.js';

const log = createLog('silent');
let http: Server;
let list: Buffer | undefined;
let ca: TestCa;
let server: ScriptedServer;
let folder: string;

beforeAll(async () => {
  http = createServer((_request, response) => {
    response.statusCode = list === undefined ? 503 : 200;
    response.end(list);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  ca = await TestCa.create(`http://127.0.0.1:${(http.address() as AddressInfo).port}/root.crl`);
  server = await ScriptedServer.start(ca, 'seed');
  server.onStream = (stream) => stream.fail(status.ABORTED, 'reached');
  folder = await mkdtemp(join(tmpdir(), 'glacis-crl-'));
});

afterAll(async () => {
  await server.close();
  http.closeAllConnections();
  http.close();
  await rm(folder, { recursive: true, force: true });
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function dial(revocation: ServerRevocation, caPem = ca.rootPem): Promise<string> {
  const pem = await ca.issue('manager');
  const client = new ManagerClient({
    address: `localhost:${server.listener.port}`,
    dialect: 'seed',
    tls: { ca: ca.rootPem, ...pem },
    checkServer: (certificate) => revocation.check(certificate, caPem),
  });
  const end = await new Promise<{ details: string }>((resolve) =>
    client.open({ onMessage: () => undefined, onEnd: resolve }),
  );
  client.close();
  return end.details;
}

/** As the manager does it: a dial that lacked a list is repeated when the list was asked for. */
async function connect(revocation: ServerRevocation): Promise<string> {
  const details = await dial(revocation);
  return (await revocation.refresh()) ? dial(revocation) : details;
}

describe("backends.md 14: a server chain through an intermediate that the root's CRL names is refused", () => {
  it('passes while the list does not name it, and never before the list was asked for', async () => {
    list = ca.crl([77n]);
    const revocation = new ServerRevocation(folder, log);
    expect(await dial(revocation)).toContain('is not at hand');
    expect(await connect(revocation)).toBe('reached');
  });

  it('is refused when the list names it, even before the list is fresh again', async () => {
    let now = 0;
    list = ca.crl([77n, ca.intermediateSerial]);
    const revocation = new ServerRevocation(folder, log, () => now);
    expect(await connect(revocation)).toContain('was revoked');
    now = 3_600_000;
    expect(await dial(revocation)).toContain('was revoked');
  });

  it('the copy kept last counts while the list is out of reach, also after a restart', async () => {
    list = ca.crl([ca.intermediateSerial]);
    expect(await connect(new ServerRevocation(folder, log))).toContain('was revoked');
    list = undefined;
    expect(await connect(new ServerRevocation(folder, log))).toContain('was revoked');
  });

  it('without list and copy the chain passes, and that is logged', async () => {
    list = undefined;
    const lines: string[] = [];
    const noisy = createLog('warn', { write: (line: string) => void lines.push(line) });
    expect(await connect(new ServerRevocation(folder, noisy))).toBe('reached');
    expect(lines.join('')).toContain('no revocation list of the server chain');
  });

  it('a list that another signed, or that is none, counts as out of reach', async () => {
    const other = await TestCa.create();
    for (const wrong of [
      other.crl([ca.intermediateSerial]),
      Buffer.from('<html>'),
      Buffer.alloc(0),
    ]) {
      list = wrong;
      expect(await connect(new ServerRevocation(folder, log))).toBe('reached');
    }
  });

  it('a list is read anew before a dial when it is a minute old', async () => {
    let now = 0;
    list = ca.crl([]);
    const revocation = new ServerRevocation(folder, log, () => now);
    expect(await connect(revocation)).toBe('reached');
    list = ca.crl([ca.intermediateSerial], 2n);
    expect(await connect(revocation)).toBe('reached');
    now = 60_001;
    expect(await connect(revocation)).toContain('was revoked');
  });

  it('a chain that ends at no root of the CA file is refused', async () => {
    const other = await TestCa.create();
    expect(await dial(new ServerRevocation(folder, log), other.rootPem)).toContain(
      'ends at no root of the CA file',
    );
  });
});
