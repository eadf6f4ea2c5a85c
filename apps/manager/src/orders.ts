import {
  RunAssembler,
  UndecodableMessageError,
  type ClientMessage,
  type RunReqChunks,
  type ServerMessage,
} from '@glacis/grpc';
import type { Log } from './log.js';
import type { Requests } from './requests.js';
import type { Saying } from './runs/run-state.js';
import type { Runs } from './runs/runs.js';
import type { VmDriver } from './vms/vm-driver.js';

export interface OrdersOptions {
  runs: Runs;
  driver: VmDriver;
  requests: Requests;
  eosVersion: string;
  log: Log;
  say: (computationId: string, saying: Saying) => void;
  tell: (message: ClientMessage) => void;
}

type Order = Exclude<ServerMessage, { kind: 'terminate' }>;

/** What the server asks of this host over one stream; each request is handled while the next ones are read. */
export class Orders {
  private readonly assembler = new RunAssembler();

  constructor(private readonly options: OrdersOptions) {}

  /** Never throws; a request that fails is logged and its failure told where the protocol has words for it. */
  take(order: Order): void {
    const id = 'computationId' in order.value ? order.value.computationId : order.value.id;
    this.handle(order, id).catch((error: unknown) => {
      this.options.log.error({ method: order.kind, id, err: error }, 'request failed');
    });
  }

  private handle(order: Order, id: string): Promise<void> {
    const { runs, requests } = this.options;
    switch (order.kind) {
      case 'run':
        return requests.handle('run', id, () => runs.run(order.value));
      case 'runChunk':
        return this.addPiece(order.value);
      case 'stop':
        return requests.handle('stop', id, () => runs.stop(id));
      case 'informationRequest':
        return requests.handle('information', id, () => this.inform(id));
      default:
        return requests.handle('svmInfo', id, () => this.describe(id));
    }
  }

  private async addPiece(piece: RunReqChunks): Promise<void> {
    const { runs, requests } = this.options;
    try {
      const run = this.assembler.add(piece);
      if (run !== undefined) await requests.handle('run', run.id, () => runs.run(run));
    } catch (error) {
      if (!(error instanceof UndecodableMessageError)) throw error;
      const reason = 'run request cannot be decoded';
      this.options.say(piece.id, { kind: 'provision', status: 'failed', reason });
    }
  }

  private async inform(id: string): Promise<void> {
    const info = await this.options.driver.information();
    this.options.tell({ kind: 'information', value: { id, info } });
  }

  private describe(id: string): Promise<void> {
    const { driver, eosVersion, tell } = this.options;
    tell({ kind: 'svmInfo', value: { id, eosVersion, ...driver.guest() } });
    return Promise.resolve();
  }
}
