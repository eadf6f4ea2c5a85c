import type { KeyObject } from 'node:crypto';
import { bareCsr, generateKeys, privateKeyPem, toPem } from '@glacis/pki/bare';
import type { EnrolReply } from '@glacis/contracts';
import type { Coordinator } from '../coordinator/coordinator.js';
import type { PartyIdentity } from '../links/tls.js';

/** Who this agent is, in one attempt. */
export interface Enrolled {
  reply: EnrolReply;
  identity: PartyIdentity;
  signingKey: KeyObject;
}

/** Makes a key, asks for its certificate with the one-time token, and shows it from then on. */
export async function enrol(
  coordinator: Coordinator,
  token: string,
  macKey: string,
): Promise<Enrolled> {
  const { privateKey } = await generateKeys('Ed25519');
  const csr = toPem('CERTIFICATE REQUEST', bareCsr(privateKey));
  const reply = await coordinator.enrol({ token, csr, mac_key: macKey });
  const identity = {
    key: privateKeyPem(privateKey),
    chain: reply.chain.join(''),
    ca: reply.ca,
  };
  coordinator.identify({ key: identity.key, cert: identity.chain });
  return { reply, identity, signingKey: privateKey };
}
