import { DefaultAzureCredential } from '@azure/identity';
import { unless, within } from '../../storage/provider-calls.js';
import type { Call } from '../../storage/storage-provider.js';
import type {
  ComputeProvider,
  Instance,
  InstanceRef,
  NewInstance,
  Price,
} from '../compute-provider.js';
import {
  INSTALLATION,
  nameOf,
  readMachineTags,
  writeMachineTags,
} from '../machines/machine-tags.js';
import { lookUntil, ownOf, type MachineOptions } from '../machines/machines.js';
import { RestApi } from '../machines/rest-api.js';
import { deploymentOf, MACHINE } from './deployment.js';

export interface AzureMachineOptions extends MachineOptions {
  subscription: string;
  /** As `westeurope`. */
  location: string;
  /** Of the resource manager; absent: that of the public cloud. */
  endpoint?: string;
  /** Resource id of the image: this suite in /opt/glacis, Node, cloud-init, systemd. */
  image: string;
}

interface Group {
  name: string;
  tags?: Record<string, string>;
  properties: { provisioningState: string };
}

interface Deployment {
  properties: { provisioningState: string };
}

interface Machine {
  properties: { instanceView?: { statuses?: { code: string }[] } };
}

interface Page {
  value: Group[];
  nextLink?: string;
}

const publicCloud = 'https://management.azure.com';
const groups = { 'api-version': '2021-04-01' };
const machines = { 'api-version': '2024-07-01' };

/** @throws {Error} when credentials are missing, as a provider must not turn into local processes by mistake */
export async function openAzureCompute(options: AzureMachineOptions): Promise<AzureCompute> {
  const identity = new DefaultAzureCredential();
  const scope = `${options.endpoint ?? publicCloud}/.default`;
  const headers = async (): Promise<Record<string, string>> => ({
    authorization: `Bearer ${(await identity.getToken(scope)).token}`,
  });
  await headers();
  return new AzureCompute(options, headers);
}

/** Parties as machines of Azure, each with all that it needs in a resource group of its own (jobs.md 10.3). */
export class AzureCompute implements ComputeProvider {
  readonly driver = 'azure';
  private readonly api: RestApi;

  /** @param headersFor the authorization of a call */
  constructor(
    private readonly options: AzureMachineOptions,
    headersFor: () => Promise<Record<string, string>>,
  ) {
    const { endpoint = publicCloud, subscription } = options;
    this.api = new RestApi(`${endpoint}/subscriptions/${subscription}`, headersFor);
  }

  /** Both calls may come again: a group that was left without its machine gets it now. */
  async ensureInstance(instance: NewInstance, call: Call): Promise<Instance> {
    return within(call, async (signal) => {
      ownOf(instance, await this.list(instance.tags.job, signal));
      const { installation, location } = this.options;
      const path = groupPath(instance.runId);
      const tags = writeMachineTags(installation, instance);
      const body = { location, tags };
      await this.api.call({ method: 'PUT', path, query: groups, body, signal });
      await this.deploy(instance, signal);
      const ref = { run: instance.runId };
      return lookUntil(() => this.find(ref, signal), this.options, signal);
    });
  }

  async describe(ref: InstanceRef, call: Call): Promise<Instance | undefined> {
    return within(call, (signal) => this.find(ref, signal));
  }

  async terminate({ run }: InstanceRef, call: Call): Promise<void> {
    const path = groupPath(String(run));
    const forced = { ...groups, forceDeletionTypes: 'Microsoft.Compute/virtualMachines' };
    await within(call, async (signal) => {
      await unless(['not_found'], () =>
        this.api.call({ method: 'DELETE', path, query: forced, signal }),
      );
      const gone = async (): Promise<true | undefined> =>
        (await this.api.find(path, { query: groups, signal })) === undefined ? true : undefined;
      await lookUntil(gone, this.options, signal);
    });
  }

  async listByTag({ job }: { job?: string }, call: Call): Promise<Instance[]> {
    return within(call, (signal) => this.list(job, signal));
  }

  /** Nothing of a party outlives its group. */
  async forget(): Promise<void> {}

  price(): Price | null {
    return this.options.price;
  }

  private async deploy(instance: NewInstance, signal: AbortSignal): Promise<void> {
    const path = deploymentPath(instance.runId);
    if ((await this.api.find(path, { query: groups, signal })) !== undefined) return;
    const body = deploymentOf(this.options, instance);
    // Where one is under way, it is this one.
    await unless(['exists'], () =>
      this.api.call({ method: 'PUT', path, query: groups, body, signal }),
    );
  }

  private async find({ run }: InstanceRef, signal: AbortSignal): Promise<Instance | undefined> {
    const path = groupPath(String(run));
    const group = await this.api.find<Group>(path, { query: groups, signal });
    return group && this.instanceOf(group, signal);
  }

  private async list(job: string | undefined, signal: AbortSignal): Promise<Instance[]> {
    const [name, value] =
      job === undefined ? [INSTALLATION, this.options.installation] : ['glacis-job', job];
    const query = { ...groups, $filter: `tagName eq '${name}' and tagValue eq '${value}'` };
    const found: Instance[] = [];
    let page = await this.api.call<Page>({ method: 'GET', path: '/resourcegroups', query, signal });
    for (;;) {
      for (const group of page.value) {
        const instance = await this.instanceOf(group, signal);
        if (instance !== undefined) found.push(instance);
      }
      if (page.nextLink === undefined) return found;
      page = await this.api.call<Page>({ method: 'GET', path: page.nextLink, signal });
    }
  }

  /** A group of another name got its tags by hand, as a copy of ours has them, and is left alone. */
  private async instanceOf(group: Group, signal: AbortSignal): Promise<Instance | undefined> {
    const read = readMachineTags(this.options.installation, group.tags ?? {});
    if (read === undefined || group.name !== nameOf(read.runId)) return undefined;
    const leaving = group.properties.provisioningState === 'Deleting';
    const state = leaving ? 'gone' : await this.stateOf(read.runId, signal);
    return { ...read, ref: { run: read.runId }, state };
  }

  private async stateOf(runId: string, signal: AbortSignal): Promise<Instance['state']> {
    const query = groups;
    const deployment = await this.api.find<Deployment>(deploymentPath(runId), { query, signal });
    const state = deployment?.properties.provisioningState;
    if (state === 'Failed' || state === 'Canceled') return 'gone';
    if (state !== 'Succeeded') return 'starting';
    const machine = await this.api.find<Machine>(machinePath(runId), {
      query: { ...machines, $expand: 'instanceView' },
      signal,
    });
    const statuses = machine?.properties.instanceView?.statuses ?? [];
    const power = statuses.map(({ code }) => code).find((code) => code.startsWith('PowerState/'));
    return powers[power ?? ''] ?? 'gone';
  }
}

const powers: Readonly<Record<string, Instance['state']>> = {
  'PowerState/starting': 'starting',
  'PowerState/running': 'up',
};

const groupPath = (runId: string): string => `/resourcegroups/${nameOf(runId)}`;
const deploymentPath = (runId: string): string =>
  `${groupPath(runId)}/providers/Microsoft.Resources/deployments/${MACHINE}`;
const machinePath = (runId: string): string =>
  `${groupPath(runId)}/providers/Microsoft.Compute/virtualMachines/${MACHINE}`;
