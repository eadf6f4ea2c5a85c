import type { ResolvedChart } from '@glacis/graphs';
import { temporaryFolder } from '@glacis/testbed';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ChartArchives } from './chart-archives.js';
import type { FetchedChart } from './fetch-chart.js';

const chart = (version: string | undefined, password = 'p'): ResolvedChart => {
  const credentials = { secret: 's', username: 'u', password };
  const repository = { kind: 'url', url: 'https://charts.example.com', credentials } as const;
  return { repository, name: 'worker', version };
};

async function stand(limit?: number) {
  const [kept, source] = [await temporaryFolder(), await temporaryFolder()];
  const archives = await ChartArchives.open(join(kept, 'archives'), limit);
  let fetches = 0;
  /** What the archive holds: how many were fetched before. */
  const get = async (wanted: ResolvedChart): Promise<string> => {
    const fetched = await archives.get(wanted, async (): Promise<FetchedChart> => {
      const text = String(fetches);
      fetches += 1;
      const path = join(source, `${text}.tgz`);
      await writeFile(path, text);
      return { path, remove: () => rm(path) };
    });
    const text = await readFile(fetched.path, 'utf8');
    await fetched.remove();
    return text;
  };
  return { get, left: () => readdir(join(kept, 'archives')) };
}

describe('archives of charts', () => {
  it('are fetched once for a fixed version, also when several ask at once', async () => {
    const { get, left } = await stand();
    await Promise.all([get(chart('1.0.0')), get(chart('1.0.0'))]);
    const again = await Promise.all([get(chart('1.0.0')), get(chart('1.0.0'))]);
    expect(new Set(again).size).toBe(1);
    expect(await get(chart('1.1.0'))).toBe('2');
    expect(await left()).toHaveLength(2);
  });

  it('are fetched each time for `latest`, and by whoever has other credentials', async () => {
    const { get } = await stand();
    expect(await get(chart('latest'))).toBe('0');
    expect(await get(chart(undefined))).toBe('1');
    expect(await get(chart('1.0.0'))).toBe('2');
    expect(await get(chart('1.0.0', 'another'))).toBe('3');
    expect(await get(chart('1.0.0'))).toBe('2');
  });

  it('are bounded: the one asked for longest ago goes first', async () => {
    const { get, left } = await stand(2);
    for (const version of ['1.0.0', '2.0.0', '1.0.0', '3.0.0']) await get(chart(version));
    expect(await left()).toHaveLength(2);
    expect(await get(chart('1.0.0'))).toBe('0');
    expect(await get(chart('2.0.0'))).toBe('3');
  });
});
