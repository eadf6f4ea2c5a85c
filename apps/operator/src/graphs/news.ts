import type { LogPhase } from './log-line.js';

/** What a graph's Events tell of (4.12), each with the phase of its log line and whether somebody should look. */
const kinds = {
  Validated: ['Validation', 'Normal'],
  ValidationFailed: ['Validation', 'Warning'],
  Deploying: ['Deployment', 'Normal'],
  ComponentDeployed: ['Deployment', 'Normal'],
  ComponentFailed: ['Deployment', 'Warning'],
  Deployed: ['Deployment', 'Normal'],
  DeployFailed: ['Deployment', 'Warning'],
  Superseded: ['Deployment', 'Normal'],
  Undeployed: ['Teardown', 'Normal'],
  Pruned: ['Teardown', 'Normal'],
  DriftCorrected: ['Deployment', 'Normal'],
  InfraLost: ['None', 'Warning'],
} as const satisfies Record<string, readonly [LogPhase, 'Normal' | 'Warning']>;

export type NewsKind = keyof typeof kinds;

export const phaseOfNews = (kind: NewsKind): LogPhase => kinds[kind][0];
export const typeOfNews = (kind: NewsKind): 'Normal' | 'Warning' => kinds[kind][1];

const maxBytes = 1_024;

/** As much of a text as an Event holds. */
export function noteOf(text: string): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const cut = Buffer.from(text)
    .subarray(0, maxBytes - 4)
    .toString();
  // A character that was cut in two is none.
  return `${cut.replace(/\uFFFD$/, '')}…`;
}
