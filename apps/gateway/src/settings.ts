import { defineSettings, durationMs, setting, type Values } from '@glacis/settings';

export const gatewaySettings = defineSettings('GLACIS_GATEWAY_', {
  tokenTtl: setting(durationMs, '24h', 'Life of a token when its maker names none.'),
  tokenTtlMax: setting(durationMs, '8760h', 'Longest life that a token may be given.'),
  revocationPoll: setting(
    durationMs,
    '1s',
    'Time between two reads of the revocations, for those whose broadcast was lost.',
  ),
});

export type GatewaySettings = Values<typeof gatewaySettings.shape>;

/** Injection token of the settings. */
export const GATEWAY_SETTINGS = Symbol('GATEWAY_SETTINGS');
