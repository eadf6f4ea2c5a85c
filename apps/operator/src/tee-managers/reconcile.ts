import { addFinalizer } from '@glacis/kube';
import { isRefusal, isUnavailable } from '../suite/suite-error.js';
import type { Backend } from '../suite/suite.js';
import { retire } from './certificate-steps.js';
import { certify, type Certification } from './certification.js';
import { connectionVerdict, terminatedByUser } from './connection-verdict.js';
import { deregister, tellDelay } from './deregistration.js';
import { refusalMs } from './refusals.js';
import { register } from './registration.js';
import { summarise, untilNotConnected, type Findings } from './summary.js';
import { tellChanges } from './tell-changes.js';
import { finalizer, type TeeManagerStatus } from './tee-manager.js';
import { terminationOf } from './termination.js';
import { conditionOf, unknown, type ConditionType, type Verdict } from './verdict.js';
import { saveStatus, type Work } from './work.js';
import { run, stop } from './workload.js';

/** Milliseconds after which everything is looked at again, whatever was heard (`backends.md` 15, rule 6). */
export const lookAgainMs = 60_000;

/** Brings one TeeManager nearer to what it asks for. @returns milliseconds after which to come again */
export async function reconcile(work: Work): Promise<number | undefined> {
  if (work.manager.metadata.deletionTimestamp !== undefined) return end(work);
  work.manager = await addFinalizer(work.managers, work.manager, finalizer);
  const before = work.manager.status;
  const { findings, renewAt } = await look(work);
  const generation = work.manager.metadata.generation ?? 0;
  const status = summarise(findings, { before, generation, now: work.now });
  await saveStatus(work, status);
  tellChanges(work, before, status);
  if (findings.failure !== undefined) throw findings.failure;
  return nextLook(work, status, renewAt);
}

async function end(work: Work): Promise<number | undefined> {
  try {
    return await deregister(work);
  } catch (error) {
    if (isUnavailable(error) || isRefusal(error)) await tellDelay(work, error.message);
    throw error;
  }
}

interface Looked {
  findings: Findings & { failure?: unknown };
  renewAt?: Date;
}

/** Does the steps in their order, as far as they go, and tells what came of each. */
async function look(work: Work): Promise<Looked> {
  const steps = new Steps(work);
  try {
    await steps.all();
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    steps.fail(error);
  }
  return { findings: steps.findings, renewAt: steps.certification?.renewAt };
}

class Steps {
  certification: Certification | undefined;
  readonly findings: Looked['findings'];
  private underWay: ConditionType = 'Registered';

  constructor(private readonly work: Work) {
    const before = work.manager.status;
    this.findings = {
      verdicts: {
        Registered: standing('Registered', before),
        CertificateReady: standing('CertificateReady', before),
        PodReady: standing('PodReady', before),
        Connected: standing('Connected', before),
      },
      terminated: false,
      renewing: before?.phase === 'Renewing',
      running: false,
      facts: factsOf(before),
    };
  }

  async all(): Promise<void> {
    const backend = await this.register();
    if (!backend) return;
    const thorough = this.needsThoroughLook(backend);
    const ended = await this.findTermination(backend, thorough);
    this.underWay = 'CertificateReady';
    const certification = await certify(this.work, backend, thorough);
    this.take(certification);
    this.underWay = 'PodReady';
    await this.runOrStop(certification, ended);
    this.underWay = 'Connected';
    this.note('Connected', ended ? terminatedByUser : connectionVerdict(backend, this.serial));
    if (certification.secret && certification.held) {
      this.findings.renewing = await retire(this.work, certification.secret, backend);
    }
  }

  /** The suite cannot be asked: what stood before stands, and what never was says why. */
  fail(error: Error): void {
    this.findings.failure = error;
    this.findings.facts = factsOf(this.work.manager.status, this.findings.facts);
    const before = conditionOf(this.work.manager.status?.conditions, this.underWay);
    if (before?.status !== 'True') {
      this.note(this.underWay, unknown('SuiteUnreachable', error.message));
    }
  }

  private async register(): Promise<Backend | undefined> {
    const { verdict, backend } = await register(this.work);
    this.note('Registered', verdict);
    const { backendId, tenant } = this.work.manager.status ?? {};
    Object.assign(this.findings.facts, { backendId, tenant });
    if (backend) return backend;
    const message = `waits for the registration: ${verdict.message}`;
    const waits = unknown('NotRegistered', message);
    this.note('CertificateReady', waits);
    this.note('Connected', waits);
    this.note('PodReady', (await stop(this.work, message)).verdict);
    return undefined;
  }

  /** With an open stream and nothing heard since the last look, there is nothing new to be found. */
  private needsThoroughLook({ id, active }: Backend): boolean {
    const { doubts } = this.work.memory;
    if (active && doubts.isSettled(id)) return false;
    doubts.settle(id);
    return true;
  }

  private async findTermination({ id }: Backend, thorough: boolean): Promise<boolean> {
    const { suite, manager } = this.work;
    const latest = thorough ? await suite.latestTermination(id) : undefined;
    const { termination, terminated } = terminationOf(manager, latest);
    this.findings.facts.termination = termination;
    this.findings.terminated = terminated;
    return terminated;
  }

  private take(certification: Certification): void {
    this.certification = certification;
    const { verdict, held } = certification;
    this.note('CertificateReady', verdict);
    if (!held) return;
    this.findings.facts.certificateSerial = held.serial;
    this.findings.facts.certificateNotAfter = held.notAfter.toISOString().replace('.000Z', 'Z');
  }

  private async runOrStop({ held, revoked }: Certification, ended: boolean): Promise<void> {
    const why = ended
      ? 'terminated by a user'
      : revoked
        ? 'its certificate was revoked'
        : held
          ? undefined
          : 'there is no certificate';
    const { verdict, running } =
      why === undefined && held
        ? await run(this.work, held.serial)
        : await stop(this.work, why ?? '');
    this.note('PodReady', verdict);
    this.findings.running = running;
  }

  private get serial(): string | undefined {
    return this.findings.facts.certificateSerial;
  }

  private note(type: ConditionType, verdict: Verdict): void {
    this.findings.verdicts[type] = verdict;
  }
}

function standing(type: ConditionType, status: TeeManagerStatus | undefined): Verdict {
  const before = conditionOf(status?.conditions, type);
  if (!before) return unknown('Waiting', 'its turn has not come yet');
  const { status: value, reason, message } = before;
  return { status: value, reason, message };
}

/** What the status says beside phase and conditions. */
function factsOf(
  status: TeeManagerStatus | undefined,
  found: Findings['facts'] = {},
): Findings['facts'] {
  const { phase: _, conditions: __, ...facts } = status ?? {};
  return { ...facts, ...found };
}

function nextLook({ now }: Work, status: TeeManagerStatus, renewAt: Date | undefined): number {
  const slow = status.phase === 'Failed' && status.backendId === undefined;
  const due = renewAt && renewAt.getTime() - now.getTime();
  const times = [slow ? refusalMs : lookAgainMs, due, untilNotConnected(status, now)];
  return Math.min(...times.filter((ms): ms is number => ms !== undefined && ms > 0));
}
