import type { RpcContracts, RpcName } from '@glacis/contracts';
import { backendsWire } from './backends-wire.js';
import { certificatesWire } from './certificates-wire.js';
import { gatewayWire } from './gateway-wire.js';
import type { Wire } from './wire-method.js';

/** How the services' interfaces travel. */
export const wires: { readonly [K in RpcName]: Wire<RpcContracts[K]> } = {
  certificates: certificatesWire,
  backends: backendsWire,
  gateway: gatewayWire,
};
