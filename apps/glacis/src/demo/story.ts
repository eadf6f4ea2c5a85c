import { X509Certificate } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '@glacis/runtime';
import type { Api } from './api.js';

/** Runs one step, prints it with its time, and hands on its result. `note` is shown beside it. */
export type Step = <T>(
  title: string,
  work: () => Promise<{ value: T; note?: string }>,
) => Promise<T>;

/** A manager that was started, wherever it runs. */
export interface RunningManager {
  /** The first line that the pattern matches, past or to come. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  exited: Promise<unknown>;
  /** Every line so far. */
  printed: readonly string[];
}

export interface Stage {
  api: Api;
  /** Where managers come to, as it is shown. */
  managers: string;
  /** Of the host. */
  address: string;
  /** Throw-away folder. */
  dir: string;
  /**
   * @param tls folder with ca.pem, cert.pem and key.pem
   * @param env settings beside the addresses and files
   */
  startManager(
    this: void,
    tls: string,
    env: Record<string, string>,
  ): RunningManager | Promise<RunningManager>;
  step: Step;
}

/** Settings of every manager of the demo. */
const managerEnv = {
  GLACIS_MANAGER_PROTOCOL: 'v0.4',
  GLACIS_MANAGER_HTTP_PORT: '0',
  GLACIS_MANAGER_VM_DRIVER: 'stub',
};

interface Backend {
  id: string;
  name: string;
  active?: boolean;
  last_seen?: string;
  protocol?: string;
}

/** The product's main job: a host is enrolled, certified, connected, and cut off again. */
export async function tellStory(stage: Stage): Promise<void> {
  const id = await enrol(stage);
  const serial = await issue(stage, id);
  const tls = await download(stage, serial);
  const manager = await connect(stage, tls);
  await showLive(stage, id);
  await revoke(stage, { id, serial, manager });
  await refuse(stage, tls);
  await verifyAudit(stage);
}

async function enrol({ api, address, step }: Stage): Promise<string> {
  return step('enrol a host', async () => {
    const body = { name: 'my dell server', address };
    const reply = await api.call('POST', '/backends', body);
    const id = (reply.headers.get('location') ?? '').replace('/backends/', '');
    return { value: id, note: `backend ${id}` };
  });
}

async function issue({ api, address, step }: Stage, id: string): Promise<string> {
  return step('issue its certificate', async () => {
    const path = `/certs/issue/backend/${id}`;
    const body = { ip_addresses: [address] };
    const { serial_number: serial } = await api.json<{ serial_number: string }>('POST', path, body);
    return { value: serial, note: `serial ${serial}` };
  });
}

interface Download {
  certificate: string;
  private_key: string;
  ca: string;
}

async function download({ api, step, dir }: Stage, serial: string): Promise<string> {
  const link = await step('ask for a one-use link', async () => {
    const path = `/certs/${serial}/download`;
    const { token } = await api.json<{ token: string }>('GET', `${path}/token`);
    return { value: `${path}?token=${token}`, note: 'ends in 5 minutes' };
  });
  const accept = { accept: 'application/json' };
  const tls = await step('fetch key and certificate with it', async () => {
    const files = (await (await api.anonymous(link, accept)).json()) as Download;
    return { value: await writeFiles(join(dir, 'tls'), files), note: subjectOf(files) };
  });
  await step('use the link again', async () => {
    const { status } = await api.anonymous(link, accept);
    if (status !== 401) throw new Error(`a used link answered ${status}`);
    return { value: undefined, note: 'refused: 401' };
  });
  return tls;
}

async function writeFiles(tls: string, files: Download): Promise<string> {
  await mkdir(tls, { mode: 0o700 });
  const parts = { 'ca.pem': files.ca, 'cert.pem': files.certificate, 'key.pem': files.private_key };
  for (const [name, base64] of Object.entries(parts)) {
    await writeFile(join(tls, name), Buffer.from(base64, 'base64'), { mode: 0o600 });
  }
  return tls;
}

function subjectOf(files: Download): string {
  const leaf = new X509Certificate(Buffer.from(files.certificate, 'base64'));
  return `valid to ${new Date(leaf.validTo).toISOString().slice(0, 10)}`;
}

async function connect(
  { startManager, managers, step }: Stage,
  tls: string,
): Promise<RunningManager> {
  return step('connect the manager over mutual TLS', async () => {
    const manager = await startManager(tls, managerEnv);
    await manager.line(/"msg":"stream is open"/);
    return { value: manager, note: managers };
  });
}

async function showLive({ api, step }: Stage, id: string): Promise<void> {
  await step('the host is live', async () => {
    const backend = await waitFor(async () => {
      const now = await api.json<Backend>('GET', `/backends/${id}`);
      return now.active && now;
    });
    return { value: undefined, note: `"active":true, "protocol":"${backend.protocol}"` };
  });
}

interface Revoked {
  id: string;
  serial: string;
  manager: RunningManager;
}

async function revoke({ api, step }: Stage, { id, serial, manager }: Revoked): Promise<void> {
  await step('revoke the certificate', async () => {
    await api.call('PATCH', `/certs/${serial}/revoke`, { reason: 'keyCompromise' });
    return { value: undefined, note: 'keyCompromise' };
  });
  await step('the stream is cut', async () => {
    const { input } = await manager.line(/^{.*manager service terminated/);
    await manager.exited;
    return {
      value: undefined,
      note: (JSON.parse(input) as { msg: string }).msg,
    };
  });
  await step('the host is shown as gone', async () => {
    await waitFor(async () => !(await api.json<Backend>('GET', `/backends/${id}`)).active);
    return { value: undefined };
  });
}

async function refuse({ startManager, step }: Stage, tls: string): Promise<void> {
  await step('the same certificate tries again', async () => {
    const manager = await startManager(tls, { ...managerEnv, GLACIS_MANAGER_RECONNECT: 'false' });
    await manager.exited;
    const opened = manager.printed.some((line) => line.includes('stream is open'));
    if (opened) throw new Error('a revoked certificate opened a stream');
    return { value: undefined, note: 'refused before any message' };
  });
}

async function verifyAudit({ api, step }: Stage): Promise<void> {
  await step('verify the audit trail', async () => {
    const path = '/audit/certificates/verification';
    const { intact } = await api.json<{ intact: boolean }>('GET', path);
    if (!intact) throw new Error('the hash chain is broken');
    return { value: undefined, note: 'hash chain intact' };
  });
}
