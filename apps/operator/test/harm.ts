import { resources } from '@glacis/graphs';
import { builtIns, type ResourceType } from '@glacis/kube';
import type { GraphWorld } from './graph-world.js';

/** Something that is done to a deployed graph. */
export interface Damage {
  what: string;
  harm: () => Promise<unknown>;
  mended: () => Promise<boolean>;
}

const typed: Record<string, ResourceType> = {
  preset: resources.presets,
  infra: resources.infras,
  configmap: builtIns.configMaps,
  secret: builtIns.secrets,
  claim: builtIns.persistentVolumeClaims,
  service: builtIns.services,
  deployment: builtIns.deployments,
  namespace: builtIns.namespaces,
  volume: builtIns.persistentVolumes,
  pod: builtIns.pods,
};

/** An object of the cluster. */
interface Named {
  kind: keyof typeof typed;
  namespace?: string;
  name: string;
}

/** The kinds of damage that may be done to any object. */
export class Harm {
  constructor(private readonly world: GraphWorld) {}

  /** There again, as another object. */
  deleted(named: Named): Damage {
    let uid = '';
    return {
      what: `deleted ${named.kind} ${named.name}`,
      harm: async () => {
        uid = (await this.clientOf(named).get(named)).metadata.uid;
        await this.clientOf(named).delete(named);
      },
      mended: async () => {
        const now = await this.clientOf(named).find(named);
        return now !== undefined && now.metadata.uid !== uid;
      },
    };
  }

  /** As it was before a merge patch. */
  edited(named: Named, patch: object, what: string, read: (object: never) => unknown): Damage {
    let before: unknown;
    return {
      what: `${what} of ${named.kind} ${named.name}`,
      harm: async () => {
        before = read((await this.clientOf(named).get(named)) as never);
        await this.clientOf(named).patch(named, patch);
      },
      mended: async () =>
        JSON.stringify(read((await this.clientOf(named).get(named)) as never)) ===
        JSON.stringify(before),
    };
  }

  /** The newest revision of a release is another, and deployed. */
  lostRelease(
    namespace: string,
    release: string,
    what: string,
    harm: () => Promise<unknown>,
  ): Damage {
    const deployed = async (): Promise<string> => {
      const labelSelector = `owner=helm,name=${release},status=deployed`;
      const { items } = await this.world
        .client(builtIns.secrets)
        .list({ namespace, labelSelector });
      return items.map(({ metadata }) => metadata.uid).join();
    };
    let before = '';
    return {
      what,
      harm: async () => {
        before = await deployed();
        await harm();
      },
      mended: async () => {
        const now = await deployed();
        return now !== '' && now !== before;
      },
    };
  }

  private clientOf({ kind }: Named): ReturnType<GraphWorld['client']> {
    return this.world.client(typed[kind as string] as ResourceType);
  }
}
