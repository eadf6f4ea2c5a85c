import { z } from 'zod';
import type { Metadata } from './metadata.js';

const told = z.object({ access_token: z.string() });

/**
 * A token of the managed identity of this machine, for one storage account: the directory knows no other address as one, so
 * what is got for an account is of no use anywhere else.
 * @param account its address, as `https://name.blob.core.windows.net`
 */
export async function managedToken(metadata: Metadata, account: string): Promise<string> {
  const query = new URLSearchParams({ 'api-version': '2018-02-01', resource: account });
  const path = `/metadata/identity/oauth2/token?${query.toString()}`;
  const text = await metadata.text(path, { headers: { metadata: 'true' } });
  return told.parse(JSON.parse(text)).access_token;
}
