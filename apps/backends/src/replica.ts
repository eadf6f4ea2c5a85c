/** This process among the replicas of the service. */
export class Replica {
  constructor(
    readonly id: string,
    /** How long its streams count as live without a word of it. */
    readonly leaseMs: number,
  ) {}
}
