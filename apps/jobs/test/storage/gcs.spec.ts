import { Store } from '@glacis/store';
import { StorageProviders } from '../../src/storage/storage-providers.js';
import { Sweeper } from '../../src/storage/sweeper.js';
import { Stand } from '../stand.js';
import { storageConformance } from './conformance.js';
import { openGcs, startGcs } from './gcs.js';

storageConformance('Cloud Storage, policies made by us', () => openGcs('nominal'));
storageConformance('Cloud Storage, roles made by others', () => openGcs('account'));

test('jobs.md 6.2: a job whose shares lie in a cloud: what is too long is swept and told, the rest is pinned', async () => {
  const { server, options } = await startGcs('nominal');
  const stand = await Stand.start({
    settings: {
      auth: 'open',
      uploadMaxBytes: '1kb',
      gcpProject: options.project,
      gcpEndpoint: server.url,
      gcpJanitorKeyFile: options.janitorKeyFile,
      gcpSignerKeyFile: options.signerKeyFile,
    },
  });
  try {
    await stand.withoutParties();
    const created = await stand.send('POST', '/create_job', {
      body: {
        analysis_name: 'in a cloud',
        query_sql: 'SELECT SUM(a) FROM t',
        security_level: 'semi',
        cloud_providers: ['gcp'],
        schema: { a: 'unit' },
      },
    });
    expect(created.status).toBe(200);
    expect(created.body.isolation).toBe('nominal');
    const { job_id } = created.body;
    const owner = { job_id, data_owner: 'north' };
    const registered = await stand.send('POST', '/register_data_owner', { body: owner });
    const links = registered.body.presigned_urls as string[];
    const put = async (link: string, body: string): Promise<number> =>
      (await fetch(link, { method: 'PUT', headers: { 'content-type': 'text/csv' }, body })).status;

    expect(await put(links[0]!, 'x'.repeat(2000))).toBe(200);
    await stand.get(Sweeper).run(new AbortController().signal);
    const found = await stand
      .get(StorageProviders)
      .of('gcp')
      .listByTag({ job: job_id }, { timeoutMs: 10_000 });
    expect(found).toHaveLength(6);
    const told = await stand
      .get(Store)
      .query<{ data: object }>(
        "SELECT data FROM job_events WHERE event = 'warning' AND owner = 'north'",
      );
    expect(told.map(({ data }) => data)).toEqual([
      { code: 'file_too_large', party: 0, set: 1, size: 2000 },
    ]);

    for (const link of links) expect(await put(link, 'a_0,a_1\n1,2\n')).toBe(200);
    expect((await stand.send('POST', '/submit_job', { body: { job_id } })).status).toBe(200);
    const pins = await stand.get(Store).query<{ size: string }>('SELECT size FROM pins');
    expect(pins.map(({ size }) => Number(size))).toEqual([12, 12, 12]);
  } finally {
    await stand.stop();
    await server.stop();
  }
});
