import type { GraphName } from '@glacis/graphs';

/** Where in the life of a graph a line belongs. */
export type LogPhase = 'Parsing' | 'Validation' | 'Deployment' | 'Teardown' | 'None';

/** A line for people who search the log by graph (4.12): the tokens, and the space after the second, are fixed. */
export function logLine(time: Date, graph: GraphName, phase: LogPhase, message: string): string {
  const where = `graph_namespace=${graph.namespace} graph_name=${graph.name} phase=${phase} `;
  return `${time.toISOString()}: ${where}: message=${JSON.stringify(message)}`;
}
