import type { CertificatesRpc, ResolvedCertificate } from '@glacis/contracts';
import { RpcDirectory, RpcError, status } from '@glacis/grpc';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Inject, Injectable } from '@nestjs/common';

const TTL_MS = 5_000;
const MAX_ENTRIES = 5_000;

interface Entry {
  until: number;
  answer: Promise<ResolvedCertificate>;
}

/** Answers of `certificates` about serials, kept for up to 5 s and dropped by every event about certificates. */
@Injectable()
export class CertificateCache {
  private readonly entries = new Map<string, Entry>();

  private readonly certificates: CertificatesRpc;

  constructor(
    @Inject(RpcDirectory) directory: RpcDirectory,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.certificates = directory.client('certificates');
  }

  async resolve(serial: string): Promise<ResolvedCertificate | 'unknown' | 'unavailable'> {
    try {
      return await this.entryOf(serial).answer;
    } catch (error) {
      const unknown = error instanceof RpcError && error.code === status.NOT_FOUND;
      return unknown ? 'unknown' : 'unavailable';
    }
  }

  drop(serial: string): void {
    this.entries.delete(serial);
  }

  clear(): void {
    this.entries.clear();
  }

  private entryOf(serial: string): Entry {
    const now = this.clock.now().getTime();
    const known = this.entries.get(serial);
    if (known && known.until > now) return known;
    this.entries.delete(serial);
    this.dropExpired(now);
    const entry = {
      until: now + TTL_MS,
      answer: this.certificates.resolve({ serialNumber: serial }),
    };
    entry.answer.catch(() => this.forget(serial, entry));
    this.remember(serial, entry);
    return entry;
  }

  /** Entries are kept in the order in which they end. */
  private dropExpired(now: number): void {
    for (const [serial, { until }] of this.entries) {
      if (until > now) return;
      this.entries.delete(serial);
    }
  }

  private remember(serial: string, entry: Entry): void {
    if (this.entries.size >= MAX_ENTRIES) {
      const oldest = this.entries.keys().next();
      if (!oldest.done) this.entries.delete(oldest.value);
    }
    this.entries.set(serial, entry);
  }

  private forget(serial: string, entry: Entry): void {
    if (this.entries.get(serial) === entry) this.entries.delete(serial);
  }
}
