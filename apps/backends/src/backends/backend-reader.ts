import { problems } from '@glacis/http';
import { coalesce } from '@glacis/runtime';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import type { Backend } from './backend.js';
import type { BackendListQuery } from './backend.schema.js';
import { backendsById, listBackends } from './backends.store.js';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** With one alone, this process and the database would take turns at being idle. */
const STATEMENTS_AT_ONCE = 4;

/** Reads backends, always fresh; single ones that are read at the same time share a statement. */
@Injectable()
export class BackendReader {
  private readonly read: (id: string) => Promise<Backend | undefined>;

  constructor(@Inject(Store) private readonly store: Store) {
    this.read = coalesce(
      async (ids: string[]) => {
        const rows = await backendsById(store, [...new Set(ids)]);
        const byId = new Map(rows.map((row) => [row.id, row]));
        return ids.map((id) => byId.get(id));
      },
      { concurrency: STATEMENTS_AT_ONCE },
    );
  }

  /** Whatever its tenant; undefined also for what is no id. */
  find(id: string): Promise<Backend | undefined> {
    return UUID.test(id) ? this.read(id) : Promise.resolve(undefined);
  }

  /** @throws {Problem} 404 when it does not exist or is another tenant's */
  async get(tenant: string, id: string): Promise<Backend> {
    const backend = await this.find(id);
    if (backend?.tenant !== tenant) throw unknownBackend();
    return backend;
  }

  list(tenant: string, query: BackendListQuery): ReturnType<typeof listBackends> {
    return listBackends(this.store, tenant, query);
  }
}

export function isBackendId(text: string): boolean {
  return UUID.test(text);
}

export function unknownBackend(): Error {
  return problems.notFound('no such backend');
}
