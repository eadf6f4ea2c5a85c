import { isUnavailable, SuiteError } from '../suite/suite-error.js';
import type { Backend } from '../suite/suite.js';
import { retire } from './certificate-steps.js';
import { certify, type Certification } from './certification.js';
import { connectionVerdict, terminatedByUser } from './connection-verdict.js';
import { register } from './registration.js';
import type { Findings } from './summary.js';
import type { TeeManagerStatus } from './tee-manager.js';
import { terminationOf } from './termination.js';
import { conditionOf, unknown, type ConditionType, type Verdict } from './verdict.js';
import type { Work } from './work.js';
import { run, stop, type Running } from './workload.js';

export interface StepsTaken {
  findings: Findings;
  renewAt?: Date;
  /** The suite has not given all that is needed. */
  failure?: SuiteError;
}

/** Takes the steps in their order, as far as they go, and tells what came of each. */
export async function takeSteps(work: Work): Promise<StepsTaken> {
  const steps = new Steps(work);
  try {
    await steps.takeAll();
    return { findings: steps.findings, renewAt: steps.renewAt };
  } catch (error) {
    if (!(error instanceof SuiteError)) throw error;
    steps.breakOff(error);
    return { findings: steps.findings, failure: error };
  }
}

class Steps {
  readonly findings: Findings;
  renewAt: Date | undefined;
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

  async takeAll(): Promise<void> {
    const backend = await this.register();
    if (!backend) return;
    const thorough = this.needsThoroughLook(backend);
    const terminated = await this.findTermination(backend, thorough);
    this.underWay = 'CertificateReady';
    const certification = await certify(this.work, backend, thorough);
    this.take(certification);
    this.underWay = 'PodReady';
    const { verdict, running } = await this.runOrStop(certification);
    this.findings.running = running;
    this.note('PodReady', verdict);
    this.underWay = 'Connected';
    const { certificateSerial } = this.findings.facts;
    this.note(
      'Connected',
      terminated ? terminatedByUser : connectionVerdict(backend, certificateSerial),
    );
    const { secret, held } = certification;
    if (secret && held) this.findings.renewing = await retire(this.work, secret, backend);
  }

  /** The suite cannot be asked, or does not answer us: what stood before stands, and what never was says why. */
  breakOff(error: SuiteError): void {
    const before = conditionOf(this.work.manager.status?.conditions, this.underWay);
    if (before?.status === 'True') return;
    this.note(
      this.underWay,
      unknown(isUnavailable(error) ? 'SuiteUnreachable' : 'Refused', error.message),
    );
  }

  private async register(): Promise<Backend | undefined> {
    const { verdict, backend } = await register(this.work).finally(() => {
      // It may have come as far as the status.
      const { backendId, tenant } = this.work.manager.status ?? {};
      Object.assign(this.findings.facts, { backendId, tenant });
    });
    this.note('Registered', verdict);
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

  private take({ verdict, held, renewAt }: Certification): void {
    this.note('CertificateReady', verdict);
    this.renewAt = renewAt;
    if (!held) return;
    this.findings.facts.certificateSerial = held.serial;
    this.findings.facts.certificateNotAfter = held.notAfter.toISOString().replace('.000Z', 'Z');
  }

  private runOrStop({ held, revoked }: Certification): Promise<Running> {
    if (this.findings.terminated) return stop(this.work, 'terminated by a user');
    if (revoked) return stop(this.work, 'its certificate was revoked');
    return held ? run(this.work, held.serial) : stop(this.work, 'there is no certificate');
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
function factsOf(status: TeeManagerStatus | undefined): Findings['facts'] {
  const { phase: _, conditions: __, ...facts } = status ?? {};
  return { ...facts };
}
