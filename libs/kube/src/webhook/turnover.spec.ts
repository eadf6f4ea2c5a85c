import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openssl, temporaryFolder } from '@glacis/testbed';
import type { ServingCredentials } from './serving-credentials.js';
import { Turnover } from './turnover.js';

async function selfSigned(): Promise<ServingCredentials> {
  const folder = await temporaryFolder();
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await openssl(['req', '-x509', ...algorithm, '-keyout', key, '-out', cert, '-subj', '/CN=x']);
  const pem = await readFile(cert, 'utf8');
  return { key: await readFile(key, 'utf8'), cert: pem, ca: pem };
}

describe('turnover of credentials', () => {
  const start = Date.now();
  let first: ServingCredentials;
  let second: ServingCredentials;
  let offered: ServingCredentials;
  let trusted: boolean;
  let turnover: Turnover;

  beforeAll(async () => {
    first = await selfSigned();
    second = await selfSigned();
  });

  beforeEach(() => {
    offered = first;
    trusted = false;
    turnover = new Turnover({ credentials: () => offered }, () => trusted);
    expect(turnover.next(start)).toBe(first);
    turnover.taken(first);
    expect(turnover.next(start)).toBeUndefined();
    offered = second;
  });

  it('waits until the next ones have been trusted for three seconds on end', () => {
    expect(turnover.next(start)).toBeUndefined();
    trusted = true;
    expect(turnover.next(start + 1_000)).toBeUndefined();
    trusted = false;
    expect(turnover.next(start + 2_000)).toBeUndefined();
    trusted = true;
    expect(turnover.next(start + 5_000)).toBeUndefined();
    expect(turnover.next(start + 7_999)).toBeUndefined();
    expect(turnover.next(start + 8_000)).toBe(second);
  });

  it('offers them again until they are taken', () => {
    trusted = true;
    turnover.next(start);
    expect(turnover.next(start + 3_000)).toBe(second);
    expect(turnover.next(start + 4_000)).toBe(second);
    turnover.taken(second);
    expect(turnover.next(start + 5_000)).toBeUndefined();
  });

  it('does not outwait the end of those in use', () => {
    const days31 = 31 * 86_400_000;
    expect(turnover.next(start + days31)).toBe(second);
  });
});
