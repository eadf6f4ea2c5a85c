import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AGENT_TOKEN_VARIABLE } from '@glacis/contracts';
import { waitFor } from '@glacis/runtime';
import { ProviderError } from '../../storage/provider-error.js';
import type { Call } from '../../storage/storage-provider.js';
import type { ComputeProvider, Instance, InstanceRef, NewInstance } from '../compute-provider.js';
import { agentArguments } from '../agent-command.js';
import { isAlive, startOf } from './process-identity.js';
import { PartyFolders, type InstanceRecord } from './records.js';

/** An operating system account. */
export interface Account {
  uid: number;
  gid: number;
}

export interface LocalComputeOptions {
  /** Where folders of parties lie. */
  folder: string;
  /** Accounts by party; none: that of the service. */
  accounts?: readonly Account[];
}

/** Parties as processes of this machine, which end with the service: their standard input is its life line. */
export class LocalCompute implements ComputeProvider {
  readonly driver = 'local';
  private readonly folders: PartyFolders;
  private readonly accounts: readonly Account[];
  /** One start at a time for each party of a job. */
  private readonly starting = new Map<string, Promise<Instance>>();

  constructor({ folder, accounts = [] }: LocalComputeOptions) {
    this.folders = new PartyFolders(folder);
    this.accounts = accounts;
  }

  async ensureInstance(instance: NewInstance): Promise<Instance> {
    const { job, party } = instance.tags;
    const key = `${job}/${party}`;
    const before = this.starting.get(key)?.catch(() => undefined);
    const starting = Promise.resolve(before).then(() => this.ensure(instance));
    this.starting.set(key, starting);
    try {
      return await starting;
    } finally {
      if (this.starting.get(key) === starting) this.starting.delete(key);
    }
  }

  async describe(ref: InstanceRef): Promise<Instance | undefined> {
    const found = await this.find(ref);
    return found && (await living(found)) ? instanceOf(found) : undefined;
  }

  async terminate(ref: InstanceRef, { timeoutMs }: Call): Promise<void> {
    const found = await this.find(ref);
    if (found === undefined) return;
    if (await living(found)) kill(found.pid);
    try {
      await waitFor(async () => !(await living(found)), { deadlineMs: timeoutMs });
    } catch (error) {
      throw new ProviderError('timeout', 'a process does not end', error);
    }
    await this.folders.drop(found.job, found.party);
  }

  async listByTag({ job }: { job?: string }): Promise<Instance[]> {
    const records = await this.folders.list(job);
    const states = await Promise.all(records.map(living));
    return records.map((record, i) => ({
      ...instanceOf(record),
      state: states[i] ? 'up' : 'gone',
    }));
  }

  forget(job: string): Promise<void> {
    return this.folders.remove(job);
  }

  price(): null {
    return null;
  }

  private async find({ job, party, run }: InstanceRef): Promise<InstanceRecord | undefined> {
    const found = await this.folders.read(String(job), Number(party));
    return found?.runId === run ? found : undefined;
  }

  private async ensure(instance: NewInstance): Promise<Instance> {
    const { runId, tags } = instance;
    const found = await this.folders.read(tags.job, tags.party);
    if (found !== undefined && (await living(found))) {
      if (found.runId === runId) return instanceOf(found);
      throw new ProviderError('exists', 'another process of this party is running');
    }
    const child = await this.start(instance);
    const started = child.pid && (await startOf(child.pid));
    if (!child.pid || started === undefined)
      throw new ProviderError('unavailable', 'a party ended as soon as it began');
    const record = { ...tags, runId, pid: child.pid, started: started || 0 };
    try {
      await this.folders.write(record);
    } catch (error) {
      child.kill('SIGKILL');
      throw new ProviderError('unavailable', 'the folder of a party cannot be written', error);
    }
    return instanceOf(record);
  }

  private async start({ runId, token, config, tags }: NewInstance): Promise<ChildProcess> {
    const account = this.accounts[tags.party];
    const folder = await this.folders.make(tags.job, tags.party);
    const file = join(folder, 'agent.json');
    // Peers of other machines reach it where they reach the service.
    const { hostname } = new URL(config.coordinator);
    const reached = { listen_host: hostname, advertise_host: hostname };
    await writeFile(file, JSON.stringify({ ...reached, ...config }), { mode: 0o600 });
    if (account)
      await Promise.all([folder, file].map((path) => chown(path, account.uid, account.gid)));
    const stderr = await open(this.folders.stderrOf(tags.job, tags.party), 'a', 0o600);
    try {
      const { identity } = config;
      const reads = typeof identity === 'object' ? [identity.file] : [];
      const child = spawn(process.execPath, agentArguments(folder, runId, { reads }), {
        ...account,
        cwd: folder,
        env: { [AGENT_TOKEN_VARIABLE]: token },
        stdio: ['pipe', 'ignore', stderr.fd],
      });
      // Nothing is ever written to it; that it closes is what is told.
      child.stdin?.on('error', () => undefined);
      await once(child, 'spawn');
      return child;
    } catch (error) {
      throw new ProviderError('unavailable', 'a party cannot be started', error);
    } finally {
      await stderr.close();
    }
  }
}

const living = ({ pid, started, runId }: InstanceRecord): Promise<boolean> =>
  isAlive({ pid, started }, runId);

const instanceOf = ({ job, party, attempt, expires, runId }: InstanceRecord): Instance => ({
  ref: { job, party, run: runId },
  tags: { job, party, attempt, expires },
  runId,
  state: 'up',
});

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}
