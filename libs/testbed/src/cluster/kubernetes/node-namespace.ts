import { mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Daemon, type DaemonOptions } from '../daemon.js';
import { requireProgram } from '../programs.js';
import type { IdentityPlace } from './identity.js';
import { isTaken, networks, type ClusterNetwork, type NodeNetwork } from './network.js';

/**
 * Holds namespaces of network, mounts and processes until it ends, on SIGTERM or with who started it; all processes in
 * them end with them, so that only their control groups are left to remove.
 */
const holder = `
exec 9<"$OUTSIDE"
setpriv --pdeathsig=KILL \\
  unshare --net --mount --pid --fork --kill-child --mount-proc sh -euc "$NODE_INIT" &
unshared=$!
trap 'kill -KILL $(cat /proc/$unshared/task/$unshared/children)' TERM
wait $unshared
wait $unshared
find /sys/fs/cgroup -depth -type d \\( -name "$NODE_GROUP" -o -path "*/$NODE_GROUP/*" \\) -exec rmdir {} +
`;

/** Its first process: a link to the outside, routes over it, and folders that nobody else sees. */
const init = (connect: string): string => `
outside() { nsenter --net=/proc/self/fd/9 "$@"; }
ip link add eth0 type veth peer name "$NODE_LINK" netns /proc/self/fd/9
ip link set lo up
ip link set eth0 up
outside ip link set "$NODE_LINK" up
${connect}
ip route add default via "$MACHINE_ADDRESS"
echo "$POD_ROUTES" | while read addresses node; do
  [ "$node" = "$NODE_ADDRESS" ] || ip route add "$addresses" via "$node"
done
echo 1 >/proc/sys/net/ipv4/ip_forward
mount --make-rshared /
mount -t tmpfs run /run
mount -t tmpfs logs /var/log
mkdir /run/lib /run/work
mount -t overlay -o lowerdir=/var/lib,upperdir=/run/lib,workdir=/run/work lib /var/lib
# cgroups(7): one tree in version 2, one for each controller in version 1.
trees=/sys/fs/cgroup/
[ -e /sys/fs/cgroup/cgroup.controllers ] || trees=/sys/fs/cgroup/*/
for tree in $trees; do mkdir "$tree$NODE_GROUP"; done
exec 9<&-
echo the namespaces are made
exec sleep infinity
`;

/** The first node has a bridge that the machine and all other nodes are connected to, so that nothing stays behind. */
const connectMachine = `
ip link add nodes type bridge
ip link set eth0 master nodes
ip link set nodes up
ip addr add "$NODE_ADDRESS/24" dev nodes
outside ip addr add "$MACHINE_ADDRESS/24" dev "$NODE_LINK"
outside ip route add "$SERVICE_ADDRESSES" via "$NODE_ADDRESS"
echo "$POD_ROUTES" | while read addresses node; do
  outside ip route add "$addresses" via "$node"
done
`;
const connectFirstNode = `
outside ip link set "$NODE_LINK" master nodes
ip addr add "$NODE_ADDRESS/24" dev eth0
`;

/** What the programs of a node are told. */
export interface NodePlace extends IdentityPlace {
  network: ClusterNetwork;
  namespace: NodeNamespace;
  /** As in `KubernetesOptions`. */
  images?: string;
}

/** Where the programs of a node run. */
export class NodeNamespace {
  private readonly holder: Daemon;
  /** For what the node has on disk. */
  readonly folder: string;
  /** Name of the control group around all pods. */
  readonly controlGroup: string;

  private constructor(
    readonly network: ClusterNetwork,
    readonly node: NodeNetwork,
    clusterFolder: string,
    outside: { net: string; connect: string },
  ) {
    this.folder = join(clusterFolder, node.name);
    this.controlGroup = `${basename(clusterFolder)}-${node.name}`;
    this.holder = new Daemon({
      name: node.name,
      // The signal of a killed parent is one that it can act on.
      file: 'setpriv',
      args: ['--pdeathsig=TERM', 'sh', '-c', holder],
      env: {
        ...process.env,
        OUTSIDE: outside.net,
        NODE_INIT: init(outside.connect),
        NODE_GROUP: this.controlGroup,
        NODE_LINK: node.link,
        NODE_ADDRESS: node.address,
        MACHINE_ADDRESS: network.machineAddress,
        SERVICE_ADDRESSES: network.serviceAddresses,
        POD_ROUTES: network.nodes.map((each) => `${each.podAddresses} ${each.address}`).join('\n'),
      },
      logFile: join(clusterFolder, `${node.name}.log`),
      ready: (log) => log.includes('the namespaces are made'),
    });
  }

  /**
   * That of a first node, with a network that no other cluster has.
   * @param folder of the cluster, with a name that no other has
   * @throws {Error} when this process is not root's, or 16 others are open
   */
  static async open(folder: string): Promise<NodeNamespace> {
    if (process.getuid?.() !== 0) throw new Error('a node of Kubernetes needs root');
    await requireProgram('ip', 'iproute2');
    let cause: unknown;
    for (const network of networks()) {
      const [node] = network.nodes;
      if (!node || (await isTaken(node))) continue;
      const outside = { net: '/proc/self/ns/net', connect: connectMachine };
      const namespace = new NodeNamespace(network, node, folder, outside);
      try {
        await namespace.start();
        return namespace;
      } catch (error) {
        // Another one may have been faster.
        if (!(await isTaken(node))) throw error;
        cause = error;
      }
    }
    throw new Error('no network is left for a node', { cause });
  }

  /** That of a further node, which this first one connects to everything. It is to end before this one. */
  async beside(node: NodeNetwork): Promise<NodeNamespace> {
    const outside = { net: `/proc/${await this.firstProcess()}/ns/net`, connect: connectFirstNode };
    const clusterFolder = join(this.folder, '..');
    const namespace = new NodeNamespace(this.network, node, clusterFolder, outside);
    await namespace.start();
    return namespace;
  }

  /** A program inside. It ends when this does. */
  async daemon(options: Omit<DaemonOptions, 'uid'>): Promise<Daemon> {
    const target = await this.firstProcess();
    const enter = [`--target=${target}`, '--net', '--mount', '--pid', '--', options.file];
    return new Daemon({ ...options, file: 'nsenter', args: [...enter, ...options.args] });
  }

  stop(): Promise<void> {
    return this.holder.stop();
  }

  private async start(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await this.holder.start();
  }

  private async firstProcess(): Promise<number> {
    return childOf(await childOf(this.holder.pid ?? 0));
  }
}

/** The only one. */
async function childOf(pid: number): Promise<number> {
  return Number.parseInt(await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10);
}
