import { parse } from 'yaml';
import { cloudInit } from './cloud-init.js';

const instance = {
  tags: { job: 'job', party: 2, attempt: 3, expires: new Date('2026-11-22T09:00:00Z') },
  runId: 'run',
  token: 'a token',
  config: { coordinator: 'https://10.0.0.7:5001', coordinator_ca: 'a\n# pem: "x"\n' },
};

interface Told {
  write_files: { path: string; content: string; permissions?: string }[];
  runcmd: string[][];
}

const toldBy = (text: string): Told => parse(text) as Told;

test('jobs.md 10.2: a machine is told its agent, and the token only where root reads it', () => {
  const text = cloudInit(instance, 'echo 192.0.2.1');
  expect(text).toMatch(/^#cloud-config\n/);
  const { write_files: files, runcmd } = toldBy(text);
  const [config, environment, unit] = files;
  expect(JSON.parse(config?.content ?? '')).toEqual({
    ...instance.config,
    listen_host: '0.0.0.0',
    listen_port: 7443,
    life_line: false,
  });
  expect(environment).toMatchObject({
    permissions: '0600',
    content: 'GLACIS_AGENT_TOKEN=a token\n',
  });
  expect(unit?.content).toContain('apps/party/dist/main.js --run run\n');
  expect(unit?.content).not.toContain('a token');
  expect(runcmd.flat().join(' ')).toContain('GLACIS_AGENT_HOST=$(echo 192.0.2.1)');
});

test('jobs.md 10.3: the metadata service is open to an agent that learns there who it is, and to no other', () => {
  const unitOf = (identity?: 'machine'): string | undefined =>
    toldBy(cloudInit({ ...instance, config: { ...instance.config, identity } }, 'true'))
      .write_files[2]?.content;
  expect(unitOf()).toContain('IPAddressDeny=169.254.169.254');
  expect(unitOf('machine')).not.toContain('169.254.169.254');
});

test('jobs.md 9: the same run is told the same, so that a repeated call is the same call', () => {
  expect(cloudInit(instance, 'true')).toBe(cloudInit({ ...instance }, 'true'));
});
