/** A template of the editor for the configuration of a component (`graph-apps.md` 6.2, 14). */
export interface NodeConfig {
  /** 32 hex digits. */
  id: string;
  tenant: string;
  title: string;
  config: Record<string, unknown>;
  type: string;
  nodeType: string;
  message: string | null;
  createdAt: Date;
  modifiedAt: Date | null;
  /** Counts its changes; the `ETag`. */
  version: number;
}

/** What its author gives. */
export type NodeConfigInput = Pick<
  NodeConfig,
  'title' | 'config' | 'type' | 'nodeType' | 'message'
>;
