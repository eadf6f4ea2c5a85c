import type { Logger } from '@glacis/observability';
import type { Clock } from '@glacis/runtime';
import type { Store } from '@glacis/store';
import type { CertificatesSettings } from '../../settings.js';
import type { CaInstaller, NextRoot } from '../ca-installer.js';
import type { CaSet } from '../ca-set.js';
import { issuerIdOf } from '../issuer.entity.js';
import type { MadeCa, RootSigner } from '../make-ca.js';
import { leastOverlapMs } from '../rotation-rules.js';
import { CaImportError, readCaFiles, type CaFiles } from './ca-files.js';
import { keepImportedCrl, takeOverCrl } from './imported-crl.store.js';
import { judgeCa, type ImportedCa, type ImportedCas } from './judge-ca.js';

export interface CaImportParts {
  settings: CertificatesSettings;
  store: Store;
  installer: CaInstaller;
  clock: Clock;
  logger: Logger;
}

/** Brings in the CA of `GLACIS_CERTS_CA_DIR`, and later whatever other CA or root CRL is put there. */
export class CaImport {
  constructor(private readonly parts: CaImportParts) {}

  /**
   * Called by one replica at a time. Where there is a CA already, the new one signs after the overlap.
   * @throws {CaImportError} when there is no CA yet, so that none is made in place of a wrong one
   */
  async check(cas: CaSet): Promise<void> {
    const { settings, logger } = this.parts;
    if (settings.caDir === undefined) return;
    try {
      await this.bringIn(cas, await readCaFiles(settings.caDir));
    } catch (err) {
      if (!(err instanceof CaImportError) || cas.all.length === 0) throw err;
      logger.error({ err }, 'the CA in the folder cannot be brought in');
    }
  }

  private async bringIn(cas: CaSet, files: CaFiles): Promise<void> {
    const [first] = files.certificates;
    if (first !== undefined && cas.byId(issuerIdOf(first)) !== undefined) {
      return this.takeNewerCrl(files);
    }
    const { settings, clock } = this.parts;
    const imported = judgeCa(files, {
      now: clock.now(),
      leastLeftMs: settings.defaultTtl,
      isUnused: settings.caUnused,
    });
    await this.store(cas, imported);
  }

  private async store(cas: CaSet, imported: ImportedCas): Promise<void> {
    const { store, installer, clock } = this.parts;
    const now = clock.now();
    const isFirst = !cas.intermediates().some(({ state }) => state === 'current');
    const signsFrom = isFirst ? now : new Date(now.getTime() + leastOverlapMs);
    const made = await this.made(cas, imported);
    await store.transaction(async (tx) => {
      await installer.install(tx, made, { signsFrom, by: { actor: 'certificates' } });
      const { root, intermediate } = imported;
      if (intermediate === null) return takeOverCrl(tx, root);
      await takeOverCrl(tx, intermediate);
      await keepImportedCrl(tx, root);
    });
  }

  private async made(cas: CaSet, { root, intermediate }: ImportedCas): Promise<MadeCa[]> {
    const { installer } = this.parts;
    const signer = signerIn(root);
    const below =
      intermediate === null && signer !== null
        ? [await installer.intermediate(cas, signer)]
        : [intermediate].filter((each) => each !== null).map(asMade('intermediate'));
    if (cas.byId(root.id) !== undefined) return below;
    const next: NextRoot = { subject: root.info, signer };
    return [asMade('root')(root), ...below, ...installer.crosses(cas, next)];
  }

  private async takeNewerCrl(files: CaFiles): Promise<void> {
    const { clock, store } = this.parts;
    const terms = { now: clock.now(), leastLeftMs: -Infinity, isUnused: true };
    const { root } = judgeCa(files, terms);
    if (root.key === null) await keepImportedCrl(store, root);
  }
}

function signerIn({ id, info, key }: ImportedCa): RootSigner | null {
  if (key === null) return null;
  const issuer = { subjectDer: info.subjectDer, keyId: info.keyId, privateKey: key };
  return { id, issuer, notAfter: info.notAfter };
}

const asMade =
  (kind: MadeCa['kind']) =>
  ({ id, der, info, key }: ImportedCa): MadeCa => ({
    kind,
    id,
    der,
    notAfter: info.notAfter,
    privateKey: key,
  });
