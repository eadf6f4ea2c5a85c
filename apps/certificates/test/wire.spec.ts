import { Suite } from './suite.js';

describe('the REST wire', () => {
  let suite: Suite;
  let token: string;

  beforeAll(async () => {
    suite = await Suite.start();
    token = await suite.token();
  });
  afterAll(() => suite.stop());

  it('certificates.md 16.1: the issue reply is one key and a line feed', async () => {
    const backend = suite.backends.register('tenant-a', '192.168.100.4');
    const reply = await suite.send('POST', `/certs/issue/backend/${backend}`, {
      token,
      body: { ip_addresses: ['192.168.100.4'] },
    });
    expect(reply.status).toBe(201);
    expect(reply.headers['content-type']).toBe('application/json');
    expect(reply.text).toMatch(/^\{"serial_number":"\d{30,39}"\}\n$/);
    const { serial_number: serial } = reply.json();
    expect(reply.bytes.length).toBe(21 + serial.length);
    expect(reply.headers['content-length']).toBe(String(reply.bytes.length));
    expect(reply.headers.location).toBe(`/certs/${serial}`);
  });
});
