import type { Peers } from '@glacis/host/bare';
import { CaBundles } from '@glacis/kube';
import type { Basis } from '../../basis.js';
import { graphDefinitionName } from '../kinds/index.js';

/** Keeps the registrations of the webhooks such that API servers trust our own CA. */
export function webhookBundles(basis: Basis, configuration: string, peers: Peers): CaBundles {
  return new CaBundles({
    ...basis,
    source: peers,
    registrations: [
      { kind: 'validatingWebhooks', name: configuration },
      { kind: 'mutatingWebhooks', name: configuration },
      { kind: 'customResourceDefinitions', name: graphDefinitionName },
    ],
    fieldManager: 'glacis-operator',
  });
}
