import type { Condition, ConditionStatus } from '@glacis/kube';

/** What is found of one condition: the reason is for programs, the message for people. */
export interface Verdict {
  status: ConditionStatus;
  reason: string;
  message: string;
}

export const conditionTypes = ['Registered', 'CertificateReady', 'PodReady', 'Connected'] as const;
export type ConditionType = (typeof conditionTypes)[number];
export type Verdicts = Record<ConditionType, Verdict>;

export const yes = (reason: string, message: string): Verdict => ({
  status: 'True',
  reason,
  message,
});
export const no = (reason: string, message: string): Verdict => ({
  status: 'False',
  reason,
  message,
});
export const unknown = (reason: string, message: string): Verdict => ({
  status: 'Unknown',
  reason,
  message,
});

export function conditionOf(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** The condition that a verdict makes: its time moves with the status alone. */
export function conditionFrom(
  type: string,
  verdict: Verdict,
  context: { before: readonly Condition[] | undefined; generation: number; now: Date },
): Condition {
  const old = conditionOf(context.before, type);
  const stands = old?.status === verdict.status;
  return {
    type,
    ...verdict,
    message: verdict.message.slice(0, 2048),
    lastTransitionTime: stands ? old.lastTransitionTime : wholeSeconds(context.now),
    observedGeneration: context.generation,
  };
}

/** As meta/v1 writes times. */
export const wholeSeconds = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, 'Z');
