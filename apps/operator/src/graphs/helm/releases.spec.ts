import { gzipSync } from 'node:zlib';
import { isLocked, lastGood, releasesOf, type ReleaseSecret } from './releases.js';

const secretOf = (name: string, version: number, status: string, data?: string): ReleaseSecret => ({
  metadata: {
    name: `sh.helm.release.v1.${name}.v${version}`,
    namespace: 'n',
    labels: { owner: 'helm', name, status, version: String(version) },
  },
  type: 'helm.sh/release.v1',
  ...(data !== undefined && { data: { release: data } }),
});

const packed = (release: object): string =>
  Buffer.from(gzipSync(JSON.stringify(release)).toString('base64')).toString('base64');

describe('releases out of their Secrets', () => {
  it('are ordered by number, and told apart from other Secrets', () => {
    const other: ReleaseSecret = { metadata: { name: 'x', namespace: 'n' }, type: 'Opaque' };
    const secrets = [secretOf('a', 9, 'superseded'), other, secretOf('a', 10, 'deployed')];
    expect(releasesOf([...secrets, secretOf('b', 1, 'failed')])).toMatchObject([
      { name: 'a', namespace: 'n', revision: 10, status: 'deployed', history: [{}, {}] },
      { name: 'b', revision: 1, status: 'failed' },
    ]);
  });

  it('tell what is in them, or that it cannot be read', () => {
    const chart = { metadata: { name: 'c', version: '1.0.0' } };
    const whole = { info: { description: 'done' }, chart, config: null, manifest: '---' };
    const [release] = releasesOf([secretOf('a', 1, 'deployed', packed(whole))]);
    expect(release?.details()).toEqual({
      description: 'done',
      chart: { name: 'c', version: '1.0.0', appVersion: '' },
      values: {},
      manifest: '---',
    });
    const bomb = packed({ manifest: 'x'.repeat(65 << 20) });
    for (const data of [undefined, '', 'AAAA', bomb]) {
      expect(releasesOf([secretOf('a', 1, 'deployed', data)])[0]?.details()).toBeUndefined();
    }
  });

  it.each([
    [['pending-upgrade', 'failed', 'deployed', 'superseded'], 2],
    [['pending-upgrade', 'failed', 'superseded', 'superseded'], 2],
    [['pending-rollback', 'superseded', 'deployed'], 1],
    [['pending-install'], undefined],
    [['pending-upgrade', 'failed'], undefined],
  ])('go back to the newest good revision: %p', (states, good) => {
    const secrets = states.map((status, index) => secretOf('a', states.length - index, status));
    const [release] = releasesOf(secrets);
    expect(isLocked(release!)).toBe(true);
    expect(lastGood(release!)?.revision).toBe(good);
  });
});
