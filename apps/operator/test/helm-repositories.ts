import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResolvedChart } from '@glacis/graphs';
import { findProcesses, temporaryFolder } from '@glacis/testbed';
import {
  Daemon,
  freePorts,
  makeCertificateAuthority,
  registryProgram,
} from '@glacis/testbed/cluster';
import { ChartLibrary, type HelmOptions } from '../src/graphs/helm/index.js';
import { filesOf, passTo, serve, type Door, type TestServer } from './chart-server.js';
import { annotation, install, type HelmWorld } from './helm-world.js';

/** Charts of repositories, with and without a Secret, on the cluster of the test that calls it. */
export function repositoryCases(world: () => HelmWorld): void {
  async function library(options: Partial<HelmOptions> = {}): Promise<ChartLibrary> {
    const { helm } = await world().stand(options);
    const auxChart = { repo: 'rampart-repo', name: 'auth-aux', version: 'latest' };
    const secret = () => Promise.resolve(undefined);
    return new ChartLibrary({ helm, secret, operatorNamespace: 'glacis', auxChart });
  }

  describe('graph-apps.md 3.3 and 4.5: charts of repositories', () => {
    it('asks once for a fixed version, and again for the latest', async () => {
      const charts = await library();
      const shortLived = await serve(filesOf(world().folder));
      const chart = {
        ...world().inRepository('simple'),
        repository: { kind: 'url', url: `http://${shortLived.address}` },
      } as const;
      const twice = [charts.annotation(chart), charts.annotation(chart)];
      expect(await Promise.all(twice)).toEqual([annotation, annotation]);
      await shortLived.stop();
      expect(await charts.annotation(chart)).toBe(annotation);
      const latest = charts.annotation({ ...chart, version: 'latest' });
      await expect(latest).rejects.toMatchObject({ code: 'REPO_FAILED' });
    });

    it('takes pre-releases as the latest', async () => {
      const one = await world().stand();
      expect(await install(one, world().inRepository('simple', 'latest'))).toMatchObject({
        chart: { version: '2.0.0-rc.1' },
      });
    });

    it('tells a bad chart from a bad repository', async () => {
      const charts = await library();
      const missing = charts.annotation(world().inRepository('simple', '9.9.9'));
      await expect(missing).rejects.toMatchObject({ code: 'CHART_FAILED' });
      const broken = charts.annotation(world().inRepository('broken'));
      await expect(broken).rejects.toMatchObject({ code: 'CHART_FAILED' });
    });

    it('waits for a silent repository no longer than it may', async () => {
      const silent = await serve(() => undefined);
      try {
        const charts = await library({ repoTimeoutSeconds: 1 });
        const url = `http://${silent.address}`;
        const asked = charts.annotation({
          ...world().inRepository('simple'),
          repository: { kind: 'url', url },
        });
        await expect(asked).rejects.toMatchObject({ code: 'REPO_FAILED' });
      } finally {
        await silent.stop();
      }
    });

    it('shows credentials to the repository and to nobody else', async () => {
      const account = { username: 'anna', password: 'hidden-password' };
      const lines: string[] = [];
      const files = filesOf(world().folder);
      const one = await world().stand();
      const look = async (): Promise<void> => {
        for (const { command } of await findProcesses(one.folder.path)) lines.push(command);
        lines.push(...(await modesIn(join(one.folder.path, 'fetched'))));
      };
      const guarded = await serve(
        (request, response) => void look().then(() => files(request, response)),
        { account },
      );
      try {
        const chart = (password: string, user = ''): ResolvedChart => ({
          name: 'simple',
          version: '1.0.0',
          repository: {
            kind: 'url',
            url: `http://${user}${guarded.address}`,
            credentials: { secret: 's', username: account.username, password },
          },
        });
        expect(await install(one, chart(account.password))).toMatchObject({ revision: 1 });
        expect(lines.join()).not.toContain(account.password);
        expect(lines).toContain('repositories.yaml 600');
        const refused = install(one, chart('other-password', 'eve:third-password@'));
        const error = await refused.catch((reason: Error) => reason.message);
        expect(error).toContain('401');
        expect(error).not.toMatch(/other-password|third-password/);
      } finally {
        await guarded.stop();
      }
    });
  });

  describe('graph-apps.md 4.5: repositories of a Secret', () => {
    const account = { username: 'anna', password: 'hidden-password' };
    let tls: { caFile: string; certFile: string; keyFile: string };
    let door: Door;

    beforeAll(async () => {
      const authority = await makeCertificateAuthority(await temporaryFolder(), '/CN=charts CA');
      const own = await authority.issue('server', '/CN=charts', ['IP:127.0.0.1']);
      const caller = await authority.issue('caller', '/CN=caller');
      const [ca, cert, key, certFile, keyFile] = (await Promise.all(
        [authority.cert, own.cert, own.key, caller.cert, caller.key].map((file) =>
          readFile(file, 'utf8'),
        ),
      )) as [string, string, string, string, string];
      tls = { caFile: ca, certFile, keyFile };
      door = { account, tls: { ca, cert, key } };
    });

    const ofSecret = (
      url: string,
      options: Record<string, string>,
      version?: string,
    ): ResolvedChart => ({
      repository: { kind: 'secret', secret: 's', url, options: { url, ...options } },
      name: 'simple',
      version,
    });

    it('by password and certificates, however the keys are written', async () => {
      const one = await world().stand();
      const guarded = await serve(filesOf(world().folder), door);
      try {
        const url = `https://${guarded.address}`;
        const { caFile, certFile, keyFile } = tls;
        const kebab = { 'ca-file': caFile, 'cert-file': certFile, 'key-file': keyFile };
        for (const options of [
          { ...account, ...tls },
          { ...account, ...kebab },
        ]) {
          const chart = { version: '2.0.0-rc.1' };
          expect(await install(one, ofSecret(url, options))).toMatchObject({ chart });
        }
        const unknown = install(one, ofSecret(url, { ...account, caFile }));
        await expect(unknown).rejects.toMatchObject({ code: 'repository' });
        const distrusted = install(one, ofSecret(url, { ...account, certFile, keyFile }));
        await expect(distrusted).rejects.toMatchObject({ code: 'repository' });
        const blind = { ...account, certFile, keyFile, insecureSkipTlsVerify: 'true' };
        expect(await install(one, ofSecret(url, blind, '1.0.0'))).toMatchObject({ revision: 3 });
      } finally {
        await guarded.stop();
      }
    });

    it('in a registry (OCI), with the newest tag as the latest', async () => {
      const one = await world().stand();
      const registry = await startRegistry();
      const guarded = await serve(passTo(registry.address), door);
      try {
        for (const version of ['1.0.0', '1.1.0', '2.0.0-rc.1']) {
          const archive = join(world().folder, `simple-${version}.tgz`);
          await world().cluster.helm(
            'push',
            archive,
            `oci://${registry.address}/charts`,
            '--plain-http',
          );
        }
        const url = `oci://${guarded.address}/charts/`;
        const latest = await install(one, ofSecret(url, { ...account, ...tls }));
        expect(latest).toMatchObject({ chart: { version: '2.0.0-rc.1' } });
        const fixed = await install(one, ofSecret(url, { ...account, ...tls }, '1.0.0'));
        expect(fixed).toMatchObject({ chart: { version: '1.0.0' } });
        const refused = install(
          one,
          ofSecret(url, { ...account, ...tls, password: 'wrong-password' }),
        );
        const error = await refused.catch((reason: Error) => reason.message);
        expect(error).toContain('401');
        expect(error).not.toContain('wrong-password');
      } finally {
        await guarded.stop();
        await registry.stop();
      }
    });
  });
}

async function startRegistry(): Promise<TestServer> {
  const [port = 0] = await freePorts(1);
  const daemon = new Daemon({
    name: 'the registry',
    file: await registryProgram(),
    args: ['-port', String(port)],
    logFile: join(await temporaryFolder(), 'registry.log'),
    ready: () =>
      fetch(`http://127.0.0.1:${port}/v2/`).then(
        ({ ok }) => ok,
        () => false,
      ),
  });
  await daemon.start();
  return { address: `127.0.0.1:${port}`, stop: () => daemon.stop() };
}

async function modesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const found = names.filter((name) => /\.(yaml|pem|json)$/.test(name) && !name.includes('index'));
  return Promise.all(
    found.map(async (name) => {
      const { mode } = await stat(join(folder, name));
      return `${name.split('/').at(-1)} ${(mode & 0o777).toString(8)}`;
    }),
  );
}
