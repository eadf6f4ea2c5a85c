export type Rows = [number, number][];
export declare function shareFiles(columns: string[], rows: Rows): string[];
export declare function open(files: string[]): Record<string, number>[];
export declare function runJob(
  server: string,
  request: unknown,
  owners: Record<string, Rows>,
): Promise<Record<string, number>[]>;
export declare const sample: Record<string, unknown>;
export declare const owners: Record<string, Rows>;
