import { text } from 'node:stream/consumers';
import { send, type Sent } from '../coordinator/send.js';

/** Where clouds tell a machine who it is, and nobody else. */
const LINK_LOCAL = 'http://169.254.169.254';

/** The metadata service of the machine that the agent runs on. */
export class Metadata {
  /** @param address default that of all three clouds */
  constructor(private readonly address = LINK_LOCAL) {}

  /** @throws {StatusError} unless it answers with success */
  async text(path: string, sent: Pick<Sent, 'headers'> & { method?: 'PUT' }): Promise<string> {
    const { method = 'GET', headers } = sent;
    return text(await send({ method, url: this.address + path, headers, silenceMs: 5_000 }));
  }
}
