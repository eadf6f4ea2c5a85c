import { ManagerClient, type TlsCredentials } from '@glacis/grpc';
import {
  ApiServer,
  builtIns,
  Informer,
  keyOf,
  openAccess,
  ResourceClient,
  type Access,
} from '@glacis/kube';
import { createLogger, Metrics } from '@glacis/observability';
import { notes, ownSelector } from '../src/tee-managers/tee-manager.js';
import type { Pod } from '../src/tee-managers/manifests.js';
import { secretName } from '../src/tee-managers/tls-secret.js';

/**
 * Stands in for nodes in a cluster that has none: of each Pod of a manager it reports what a kubelet would, and connects
 * as its manager, with the files of its Secret. A manager that is terminated ends, and is started again as a kubelet does.
 */
export class PretendKubelet {
  private readonly running = new Map<string, Manager>();

  private constructor(
    private readonly access: Access,
    private readonly server: ApiServer,
    private readonly informer: Informer<Pod>,
  ) {
    informer.subscribe(({ key, old, new: now }) => {
      if (old && old.metadata.uid !== now?.metadata.uid) this.end(key);
      if (now && now.metadata.deletionTimestamp === undefined) this.begin(key, now);
    });
  }

  static async start(kubeconfig: string): Promise<PretendKubelet> {
    const access = await openAccess({ kubeconfig });
    const server = new ApiServer(access, { userAgent: 'pretend-kubelet' });
    const informer = new Informer<Pod>({
      name: 'pods',
      source: new ResourceClient(server, builtIns.pods),
      selection: { labelSelector: ownSelector },
      logger: createLogger({ name: 'kubelet', level: 'silent' }),
      metrics: new Metrics(),
    });
    informer.start();
    await informer.synced;
    return new PretendKubelet(access, server, informer);
  }

  async stop(): Promise<void> {
    await this.informer.stop();
    for (const manager of this.running.values()) manager.stop();
    this.access.close();
  }

  private begin(key: string, pod: Pod): void {
    if (this.running.has(key)) return;
    const manager = new Manager(this.server, pod);
    this.running.set(key, manager);
    manager.dial();
  }

  private end(key: string): void {
    this.running.get(key)?.stop();
    this.running.delete(key);
  }
}

const redialMs = 300;

class Manager {
  private client: ManagerClient | undefined;
  private ended = false;

  constructor(
    private readonly server: ApiServer,
    private readonly pod: Pod,
  ) {}

  dial(): void {
    if (this.ended) return;
    this.connect().catch(() => this.again());
  }

  stop(): void {
    this.ended = true;
    this.client?.close();
  }

  private again(): void {
    this.client?.close();
    setTimeout(() => this.dial(), redialMs).unref();
  }

  private async connect(): Promise<void> {
    await this.report(false);
    const tls = await this.files();
    if (this.ended) return;
    this.client = new ManagerClient({
      address: this.variable('MANAGER_GRPC_URL'),
      dialect: 'seed',
      metadata: {},
      tls,
    });
    const stream = this.client.open({
      onOpen: () => void this.report(true).catch(() => undefined),
      onMessage: ({ kind }) => {
        if (kind === 'terminate') stream.end();
      },
      onEnd: () => {
        void this.report(false).catch(() => undefined);
        this.again();
      },
    });
  }

  private async files(): Promise<TlsCredentials> {
    const { namespace } = this.pod.metadata;
    const name = secretName(this.pod.metadata.labels?.['app.kubernetes.io/instance'] ?? '');
    const secrets = new ResourceClient(this.server, builtIns.secrets);
    const { data = {}, metadata } = await secrets.get({ namespace, name });
    if (metadata.annotations?.[notes.serial] !== this.pod.metadata.annotations?.[notes.serial]) {
      throw new Error(`the Secret of ${keyOf(this.pod.metadata)} holds another certificate`);
    }
    const text = (file: string): string => Buffer.from(data[file] ?? '', 'base64').toString();
    return { ca: text('ca.pem'), cert: text('cert.pem'), key: text('key.pem') };
  }

  private variable(name: string): string {
    const env = this.pod.spec?.containers[0]?.env ?? [];
    return env.find((variable) => variable.name === name)?.value ?? '';
  }

  private async report(ready: boolean): Promise<void> {
    if (this.ended) return;
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const status = {
      phase: 'Running',
      conditions: [
        { type: 'PodScheduled', status: 'True', lastTransitionTime: now },
        { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: now },
      ],
      containerStatuses: [
        {
          name: 'manager',
          image: 'x',
          imageID: 'x',
          ready,
          restartCount: 0,
          state: { running: { startedAt: now } },
        },
      ],
    };
    const pods = new ResourceClient(this.server, builtIns.pods);
    await pods.patch(
      this.pod.metadata,
      { metadata: { uid: this.pod.metadata.uid }, status },
      'status',
    );
  }
}
