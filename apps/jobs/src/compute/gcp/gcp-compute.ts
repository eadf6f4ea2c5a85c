import { GoogleAuth, JWT } from 'google-auth-library';
import type { Clock } from '@glacis/runtime';
import { unless, within } from '../../storage/provider-calls.js';
import type { Call } from '../../storage/storage-provider.js';
import type {
  ComputeProvider,
  Instance,
  InstanceRef,
  NewInstance,
  Price,
} from '../compute-provider.js';
import { INSTALLATION, nameOf, readMachineTags } from '../machines/machine-tags.js';
import { lookUntil, ownOf, type MachineOptions } from '../machines/machines.js';
import { RestApi } from '../machines/rest-api.js';
import { Operations } from './operations.js';
import { firewallOf, machineOf, ownerOf } from './resources.js';

export interface GcpMachineOptions extends MachineOptions {
  project: string;
  zone: string;
  /** Of a stand-in; absent: that of Google. */
  endpoint?: string;
  /** Key file of the service account that makes and ends machines; absent: what the environment or the instance gives. */
  keyFile?: string;
  /** `projects/P/global/images/I`: this suite in /opt/glacis, Node, cloud-init, systemd, curl. */
  image: string;
  /** `global/networks/N`; default the network `default`. */
  network?: string;
}

/** What is looked at of an instance of Compute Engine. */
interface GceInstance {
  name: string;
  /** URL. */
  zone: string;
  status: string;
  labels?: Record<string, string>;
}

interface Page {
  items?: Record<string, { instances?: GceInstance[] }>;
  nextPageToken?: string;
}

/** @throws {Error} when credentials are missing, as a provider must not turn into local processes by mistake */
export async function openGcpCompute(
  options: GcpMachineOptions,
  clock: Clock,
): Promise<GcpCompute> {
  const scopes = ['https://www.googleapis.com/auth/compute'];
  const auth = new GoogleAuth({ scopes, keyFilename: options.keyFile });
  const client = await auth.getClient();
  // Who has a key signs its tokens itself (AIP-4111).
  if (client instanceof JWT) client.useJWTAccessWithScope = true;
  return new GcpCompute(options, (url) => client.getRequestHeaders(url), clock);
}

/** Parties as machines of Compute Engine, each behind a firewall rule of its own (jobs.md 10.3). */
export class GcpCompute implements ComputeProvider {
  readonly driver = 'gcp';
  private readonly api: RestApi;
  private readonly operations: Operations;

  /** @param headersFor the authorization of a call to a URL */
  constructor(
    private readonly options: GcpMachineOptions,
    headersFor: (url: string) => Promise<Record<string, string>>,
    private readonly clock: Clock,
  ) {
    const { endpoint = 'https://compute.googleapis.com', project } = options;
    this.api = new RestApi(`${endpoint}/compute/v1/projects/${project}`, headersFor);
    this.operations = new Operations(this.api);
  }

  async ensureInstance(instance: NewInstance, call: Call): Promise<Instance> {
    return within(call, async (signal) => {
      const found = await this.list(instance.tags.job, signal);
      return ownOf(instance, found) ?? this.start(instance, signal);
    });
  }

  async describe(ref: InstanceRef, call: Call): Promise<Instance | undefined> {
    return within(call, (signal) => this.find(ref, signal));
  }

  async terminate({ zone, run }: InstanceRef, call: Call): Promise<void> {
    const name = nameOf(String(run));
    await within(call, async (signal) => {
      await this.remove(`/zones/${zone}/instances/${name}`, signal);
      await this.remove(`/global/firewalls/${name}`, signal);
    });
  }

  async listByTag({ job }: { job?: string }, call: Call): Promise<Instance[]> {
    return within(call, (signal) => this.list(job, signal));
  }

  /** Rules that were left when the service ended in the middle of a termination. */
  async forget(job: string, call: Call): Promise<void> {
    await within(call, async (signal) => {
      const filter = `description="${ownerOf(this.options, job)}"`;
      const query = { filter };
      const path = '/global/firewalls';
      const { items = [] } = await this.api.call<{ items?: { name: string }[] }>({
        method: 'GET',
        path,
        query,
        signal,
      });
      for (const { name } of items) await this.remove(`${path}/${name}`, signal);
    });
  }

  price(): Price | null {
    return this.options.price;
  }

  /** Names are taken once, and the request id makes a repeated call the same one. */
  private async start(instance: NewInstance, signal: AbortSignal): Promise<Instance> {
    const { runId } = instance;
    const { zone } = this.options;
    await unless(['exists'], () =>
      this.operations.run('/global/firewalls', firewallOf(this.options, instance), { signal }),
    );
    await unless(['exists'], () =>
      this.operations.run(
        `/zones/${zone}/instances`,
        machineOf(this.options, instance, this.clock.now()),
        {
          query: { requestId: runId },
          signal,
        },
      ),
    );
    return lookUntil(() => this.find({ zone, run: runId }, signal), this.options, signal);
  }

  private async remove(path: string, signal: AbortSignal): Promise<void> {
    await unless(['not_found'], () => this.operations.delete(path, { signal }));
    const gone = async (): Promise<true | undefined> =>
      (await this.api.find(path, { signal })) === undefined ? true : undefined;
    await lookUntil(gone, this.options, signal);
  }

  private async find(
    { zone, run }: InstanceRef,
    signal: AbortSignal,
  ): Promise<Instance | undefined> {
    const path = `/zones/${zone}/instances/${nameOf(String(run))}`;
    const found = await this.api.find<GceInstance>(path, { signal });
    return found && this.instanceOf(found);
  }

  private async list(job: string | undefined, signal: AbortSignal): Promise<Instance[]> {
    const ours = `labels.${INSTALLATION}=${this.options.installation}`;
    const filter = job === undefined ? ours : `(${ours}) AND (labels.glacis-job=${job})`;
    const found: Instance[] = [];
    let pageToken: string | undefined;
    do {
      const query = { filter, pageToken };
      const path = '/aggregated/instances';
      const page: Page = await this.api.call<Page>({ method: 'GET', path, query, signal });
      const instances = Object.values(page.items ?? {}).flatMap((zone) => zone.instances ?? []);
      found.push(...instances.flatMap((each) => this.instanceOf(each) ?? []));
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
    return found;
  }

  /** One of another name got its labels by hand, as a copy of ours has them, and is left alone. */
  private instanceOf({ name, zone, status, labels = {} }: GceInstance): Instance | undefined {
    const read = readMachineTags(this.options.installation, labels);
    if (read === undefined || name !== nameOf(read.runId)) return undefined;
    const ref = { zone: zone.split('/').at(-1) ?? '', run: read.runId };
    return { ...read, ref, state: states[status] ?? 'gone' };
  }
}

const states: Readonly<Record<string, Instance['state']>> = {
  PROVISIONING: 'starting',
  STAGING: 'starting',
  RUNNING: 'up',
};
