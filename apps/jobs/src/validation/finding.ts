/** What is wrong with the data or a policy of an owner (`jobs.md` 8); never a value of a cell. */
export interface Finding {
  owner?: string;
  party?: number;
  /** As `bad_cell` or `policy_violation`. */
  code: string;
  /** From 1, the header not counted. */
  row?: number;
  column?: string;
  /** Of `policy_violation`: what the policy does not allow of the column. */
  use?: string;
  message: string;
}
