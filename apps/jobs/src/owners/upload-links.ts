import { Inject, Injectable } from '@nestjs/common';
import type { Job, JobParty } from '../jobs/job.entity.js';
import { JobsStore } from '../jobs/jobs.store.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { inputKey } from '../storage/names.js';
import { StorageProviders } from '../storage/storage-providers.js';
import type { Owner, UploadSet } from './owner.entity.js';

/** How one file is stored (`jobs.md` 2.3). */
export interface Upload {
  party: number;
  provider: string;
  method: 'PUT';
  /** Null for a file that is stored. */
  url: string | null;
  headers: Readonly<Record<string, string>>;
  max_bytes: number;
  seal_key: string | null;
}

export interface MintedLinks {
  /** In party order; null for a file that is stored. */
  plain: (string | null)[];
  uploads: Upload[];
}

const call = { timeoutMs: 30_000 };

/** Makes the links by which owners store their files. They are told once and kept nowhere. */
@Injectable()
export class UploadLinks {
  constructor(
    @Inject(JobsStore) private readonly jobs: JobsStore,
    @Inject(StorageProviders) private readonly storage: StorageProviders,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
  ) {}

  /** @param resume leaves out what is stored already */
  async of(
    { id }: Pick<Job, 'id'>,
    { dir }: Owner,
    { set, resume }: { set: UploadSet; resume: boolean },
  ): Promise<MintedLinks> {
    const key = inputKey(dir, set.number, set.tableName);
    const parties = await this.jobs.parties(id);
    const links = await Promise.all(
      parties.map((party) => this.linkOf(party, key, { set, resume })),
    );
    return {
      plain: links.map(({ plain }) => plain),
      uploads: links.map(({ upload }) => upload),
    };
  }

  private async linkOf(
    { party, provider, inBucket, sealKey }: JobParty,
    key: string,
    { set, resume }: { set: UploadSet; resume: boolean },
  ): Promise<{ plain: string | null; upload: Upload }> {
    const storage = this.storage.of(provider);
    const stored = resume ? await storage.list(inBucket, key, call) : [];
    const { uploadMaxBytes: maxBytes, urlsTtlSeconds: expiresIn } = this.settings;
    const upload = { party, provider, method: 'PUT', max_bytes: maxBytes } as const;
    if (stored.some((object) => object.key === key))
      return { plain: null, upload: { ...upload, url: null, headers: {}, seal_key: sealKey } };
    const bytes = set.files?.[party]?.bytes;
    const { plainUrl, url, headers } = await storage.signUpload(
      { bucket: inBucket, key, expiresIn, maxBytes, bytes },
      call,
    );
    return { plain: plainUrl, upload: { ...upload, url, headers, seal_key: sealKey } };
  }
}
