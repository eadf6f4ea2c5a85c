import type { Graph } from './work.js';

/** A graph that is being worked on, and how to end that early. */
export class Running {
  private readonly controller = new AbortController();

  constructor(
    private readonly graph: Graph,
    private readonly latest: () => Graph | undefined,
  ) {}

  /** Aborted when what is being installed is to be taken down: helm is not waited for then. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Something else is asked for than what is being worked on. */
  outdated(): boolean {
    const now = this.latest();
    return !now || isOther(this.graph, now) || isGoing(this.graph) !== isGoing(now);
  }

  /** To be called when the graph has changed. */
  changed(): void {
    const now = this.latest();
    if (isGoing(this.graph)) return;
    const isUp = this.graph.spec.deploy !== false;
    if (!now || isGoing(now) || (isUp && now.spec.deploy === false)) this.controller.abort();
  }
}

const isGoing = ({ metadata }: Graph): boolean => metadata.deletionTimestamp !== undefined;

const isOther = (one: Graph, other: Graph): boolean =>
  one.metadata.uid !== other.metadata.uid ||
  (one.metadata.generation ?? 0) < (other.metadata.generation ?? 0) ||
  (one.spec.deploy === false) !== (other.spec.deploy === false);
