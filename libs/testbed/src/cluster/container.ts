import { runCommand } from './command.js';
import { requireProgram } from './programs.js';

export interface ContainerOptions {
  /** Root file system; the command cannot write to it. */
  root: string;
  /** `uid:gid` in numbers. */
  user: string;
  command: readonly string[];
  environment: Readonly<Record<string, string>>;
  /** Folder that is the user's own and empty at first, as a volume is; beside it only `/tmp` takes files. */
  volume: string;
}

const script = `
set -e
root=$1 user=$2 volume=$3
shift 3
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o "mode=700,uid=\${user%:*},gid=\${user#*:}" tmpfs "$root$volume"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
cd /
exec chroot --userspec="$user" "$root" env -i "$@"
`;

/**
 * Runs one command to its end as a restrictive cluster would run a container: mounts and processes of its own, root file
 * system read-only, an ordinary user. The network is that of the machine. Needs root.
 * @returns what it printed
 */
export async function runContainer(options: ContainerOptions): Promise<string> {
  const { root, user, command, environment, volume } = options;
  const unshare = await requireProgram('unshare', 'util-linux');
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const shell = ['sh', '-c', script, 'sh', root, user, volume, ...variables, ...command];
  return runCommand(unshare, ['--mount', '--pid', '--fork', '--kill-child', ...shell]);
}
