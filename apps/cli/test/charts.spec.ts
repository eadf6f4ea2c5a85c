import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stringify } from 'yaml';
import { glacis } from './run.js';

let server: Server;
let url: string;

const declaration = 'inputs: []\noutputs:\n  - {name: out, type: volume}\n';
const index = {
  apiVersion: 'v1',
  entries: {
    producer: [
      { version: '2.0.0', annotations: { 'petuum.com/rampartComponent': declaration } },
      { version: '1.0.0' },
    ],
    'an-older-chart': [
      { version: '0.1.0', annotations: { 'petuum/rampartComponent': 'inputs: [' } },
    ],
    plain: [{ version: '3.1.4' }],
    empty: [],
  },
};

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/charts/index.yaml') response.end(stringify(index));
    else if (request.url === '/other/index.yaml') response.end('hello');
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('graph-apps.md 8: list-components', () => {
  test('a table with the second column at 63', async () => {
    const { code, out } = await glacis(['list-components', `${url}/charts/`]);
    const line = (name: string, version: string) => `${name.padEnd(63)}${version}\n`;
    expect([code, out]).toEqual([
      0,
      line('CHART NAME', 'VERSION') +
        line('an-older-chart', '0.1.0') +
        line('plain', '3.1.4') +
        line('producer', '2.0.0'),
    ]);
  });

  test('-d prints declarations, those under the old key and broken ones too', async () => {
    const { code, out } = await glacis(['list-components', '-d', `${url}/charts`]);
    expect([code, out]).toEqual([
      0,
      'an-older-chart: "inputs: ["\nproducer:\n  inputs: []\n  outputs:\n    - name: out\n      type: volume\n',
    ]);
  });

  test('what is no repository is named', async () => {
    const none = await glacis(['list-components', `${url}/nowhere`]);
    expect(none).toMatchObject({ code: 2, err: expect.stringContaining('answers 404') });
    const other = await glacis(['list-components', `${url}/other`]);
    expect(other).toMatchObject({ code: 2, err: expect.stringContaining('not the index') });
    const oci = await glacis(['list-components', 'oci://host/charts']);
    expect(oci).toMatchObject({ code: 2, err: expect.stringContaining('no list') });
  });
});
