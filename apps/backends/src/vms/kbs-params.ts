import { isAllowedBroker } from '../runs/kbs-hosts.js';

/** `cc_kbc::http://kbs:8080`: what kind of client, then where. */
const kind = /^[a-z0-9_]+::/;

/** True when parameters name no key broker, or one at these hosts: the guest takes its keys from whoever is named. */
export function areAllowedParams(params: string, hosts: readonly string[]): boolean {
  return params === '' || isAllowedBroker(params.replace(kind, ''), hosts);
}
