import { Bell } from '@glacis/runtime';
import { Injectable } from '@nestjs/common';

/** Wakes those of this process who wait for news of an agent or a job. Of other replicas' news they hear by looking. */
@Injectable()
export class Bells {
  private readonly bells = new Map<string, Bell>();

  /** @param id of an agent (there is an instruction) or of a job (there is a report, or a change of state) */
  of(id: string): Bell {
    const known = this.bells.get(id);
    if (known !== undefined) return known;
    const bell = new Bell();
    this.bells.set(id, bell);
    return bell;
  }

  ring(id: string): void {
    this.bells.get(id)?.ring();
  }

  /** Nobody waits for it any more. */
  forget(id: string): void {
    this.bells.delete(id);
  }
}
