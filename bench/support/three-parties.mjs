// Three parties as processes of this machine, with the TLS links of apps/party, for benchmarks and conformance.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  certificate,
  generateKeys,
  leafExtensions,
  newSerial,
  privateKeyPem,
  rootExtensions,
  selfIssuer,
  toPem,
} from '../../libs/pki/dist/index.js';

const uris = [0, 1, 2].map((party) => `spiffe://local/tenant/default/party/${party}`);

/** Identities of three parties, of one authority. */
async function identities() {
  const root = await generateKeys('ECDSA-P256');
  const subject = [{ type: 'commonName', value: 'local' }];
  const issuer = selfIssuer(subject, root);
  const times = {
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
  };
  const sign = (publicKey, extensions) =>
    toPem(
      'CERTIFICATE',
      certificate({ serial: newSerial(), issuer, subject, publicKey, ...times, extensions }),
    );
  const { publicKey: rootKey } = root;
  const ca = sign(rootKey, rootExtensions({ publicKey: rootKey, uri: 'spiffe://local' }));
  return Promise.all(
    uris.map(async (uri) => {
      const { privateKey, publicKey } = await generateKeys('Ed25519');
      const profile = { issuer, publicKey, names: { uris: [uri] }, serverAuth: true };
      const chain = sign(publicKey, leafExtensions(profile));
      return { key: privateKeyPem(privateKey), chain, ca };
    }),
  );
}

/** The next answer of a party; it fails when the party ends instead. */
async function answerOf(child) {
  const given = new AbortController();
  const { signal } = given;
  try {
    const answer = once(child, 'message', { signal });
    const ended = once(child, 'exit', { signal }).then(([code]) => {
      throw new Error(`a party has ended with ${code}`);
    });
    const [message] = await Promise.race([answer, ended]);
    if (message.error) throw new Error(message.error);
    return message;
  } finally {
    given.abort();
  }
}

export class ThreeParties {
  #children;

  static async start() {
    const parties = new ThreeParties();
    parties.#children = (await identities()).map((identity, party) => {
      const child = fork(new URL('mpc-party.mjs', import.meta.url), { serialization: 'advanced' });
      child.send({ party, identity, uris });
      return child;
    });
    const ports = await parties.#answers();
    await parties.ask((party) => ({ nextPort: ports[(party + 1) % 3].port }));
    return parties;
  }

  #answers() {
    return Promise.all(this.#children.map(answerOf));
  }

  /**
   * Tells each party what to do and waits for all of them.
   * @param messageOf what party 0, 1, 2 is told: `{ rows }`, `{ step }` or `{ plan, inputs }`
   */
  ask(messageOf) {
    const answers = this.#answers();
    this.#children.forEach((child, party) => child.send(messageOf(party)));
    return answers;
  }

  async end() {
    const ended = this.#children.map((child) => once(child, 'exit'));
    this.#children.forEach((child) => child.send({}));
    await Promise.all(ended);
  }
}
