import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Daemon, type DaemonOptions } from '../daemon.js';
import { requireProgram } from '../programs.js';
import type { IdentityPlace } from './identity.js';
import { isTaken, networks, type ClusterNetwork } from './network.js';

/**
 * Holds namespaces of network, mounts and processes until it ends, on SIGTERM or with who started it; all processes in
 * them end with them, so that only their control groups are left to remove.
 */
const holder = `
exec 9</proc/self/ns/net
setpriv --pdeathsig=KILL \\
  unshare --net --mount --pid --fork --kill-child --mount-proc sh -euc "$NODE_INIT" &
unshared=$!
trap 'kill -KILL $(cat /proc/$unshared/task/$unshared/children)' TERM
wait $unshared
wait $unshared
find /sys/fs/cgroup -depth -type d \\( -name "$NODE_GROUP" -o -path "*/$NODE_GROUP/*" \\) -exec rmdir {} +
`;

/** Its first process: a link to the machine, routes over it, and folders that nobody else sees. */
const init = `
machine() { nsenter --net=/proc/self/fd/9 "$@"; }
ip link add eth0 type veth peer name "$NODE_LINK" netns /proc/self/fd/9
ip link set lo up
ip addr add "$NODE_ADDRESS/30" dev eth0
ip link set eth0 up
machine ip addr add "$MACHINE_ADDRESS/30" dev "$NODE_LINK"
machine ip link set "$NODE_LINK" up
machine ip route add "$POD_ADDRESSES" via "$NODE_ADDRESS"
machine ip route add "$SERVICE_ADDRESSES" via "$NODE_ADDRESS"
ip route add default via "$MACHINE_ADDRESS"
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

/** What the programs of a node are told. */
export interface NodePlace extends IdentityPlace {
  network: ClusterNetwork;
  namespace: NodeNamespace;
}

/** Where the programs of a node run. */
export class NodeNamespace {
  private readonly holder: Daemon;
  /** Name of the control group around all pods. */
  readonly controlGroup: string;

  private constructor(
    readonly network: ClusterNetwork,
    folder: string,
  ) {
    this.controlGroup = basename(folder);
    this.holder = new Daemon({
      name: 'the node',
      // The signal of a killed parent is one that it can act on.
      file: 'setpriv',
      args: ['--pdeathsig=TERM', 'sh', '-c', holder],
      env: {
        ...process.env,
        NODE_INIT: init,
        NODE_GROUP: this.controlGroup,
        NODE_LINK: network.link,
        NODE_ADDRESS: network.nodeAddress,
        MACHINE_ADDRESS: network.machineAddress,
        POD_ADDRESSES: network.podAddresses,
        SERVICE_ADDRESSES: network.serviceAddresses,
      },
      logFile: join(folder, 'node.log'),
      ready: (log) => log.includes('the namespaces are made'),
    });
  }

  /**
   * @param folder of the cluster, with a name that no other has
   * @throws {Error} when this process is not root's, or 16 others are open
   */
  static async open(folder: string): Promise<NodeNamespace> {
    if (process.getuid?.() !== 0) throw new Error('a node of Kubernetes needs root');
    await requireProgram('ip', 'iproute2');
    let cause: unknown;
    for (const network of networks()) {
      if (await isTaken(network)) continue;
      const namespace = new NodeNamespace(network, folder);
      try {
        await namespace.holder.start();
        return namespace;
      } catch (error) {
        // Another one may have been faster.
        if (!(await isTaken(network))) throw error;
        cause = error;
      }
    }
    throw new Error('no network is left for a node', { cause });
  }

  /** A program inside. It ends when this does. */
  async daemon(options: Omit<DaemonOptions, 'uid'>): Promise<Daemon> {
    const target = await childOf(await childOf(this.holder.pid ?? 0));
    const enter = [`--target=${target}`, '--net', '--mount', '--pid', '--', options.file];
    return new Daemon({ ...options, file: 'nsenter', args: [...enter, ...options.args] });
  }

  stop(): Promise<void> {
    return this.holder.stop();
  }
}

/** The only one. */
async function childOf(pid: number): Promise<number> {
  return Number.parseInt(await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10);
}
