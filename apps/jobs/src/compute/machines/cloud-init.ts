import { AGENT_HOST_VARIABLE, AGENT_TOKEN_VARIABLE } from '@glacis/contracts';
import { agentArguments } from '../agent-command.js';
import type { NewInstance } from '../compute-provider.js';

/** Where machines take links of peers. */
export const LINK_PORT = 7443;

/** Where images of this suite have it. */
const ROOT = '/opt/glacis';
const USER = 'glacis-party';
const FOLDER = `/var/lib/${USER}`;
const CONFIG = '/etc/glacis/agent.json';
const ENVIRONMENT = '/etc/glacis/agent.env';
const UNIT = `${USER}.service`;

/**
 * What a machine of a party is told as it starts (cloud-init, `#cloud-config`; JSON is YAML): one service that runs the agent,
 * and ends the machine when it ends. The same instance gives the same text, as providers compare repeated calls.
 * @param address shell text that prints the address by which peers reach the machine
 */
export function cloudInit({ config, runId, tags, token }: NewInstance, address: string): string {
  const own = { listen_host: '0.0.0.0', listen_port: LINK_PORT, life_line: false };
  const secret = { permissions: '0600', owner: 'root:root' };
  const expires = Math.ceil(tags.expires.getTime() / 1000);
  const told = {
    users: ['default', { name: USER, system: true, shell: '/usr/sbin/nologin' }],
    write_files: [
      { path: CONFIG, ...secret, content: JSON.stringify({ ...config, ...own }) },
      { path: ENVIRONMENT, ...secret, content: `${AGENT_TOKEN_VARIABLE}=${token}\n` },
      { path: `/etc/systemd/system/${UNIT}`, content: unit(runId, config.identity !== undefined) },
    ],
    runcmd: [
      // Whatever becomes of the coordinator, nothing runs for longer than it was asked for.
      shell(
        `left=$(( (${expires} - $(date +%s)) / 60 + 1 )); shutdown -P +$(( left > 0 ? left : 0 ))`,
      ),
      shell(`echo "${AGENT_HOST_VARIABLE}=$(${address})" >> ${ENVIRONMENT}`),
      ['systemctl', 'start', UNIT],
    ],
  };
  return `#cloud-config\n${JSON.stringify(told, undefined, 1)}\n`;
}

const shell = (text: string): string[] => ['sh', '-c', text];

/**
 * The address of the metadata of all three clouds is closed to the agent, as what the machine was told is there, unless it is
 * there that the agent learns who it is.
 */
const unit = (runId: string, hasIdentity: boolean): string => `[Unit]
After=network-online.target
Wants=network-online.target
SuccessAction=poweroff
FailureAction=poweroff

[Service]
User=${USER}
StateDirectory=${USER}
StateDirectoryMode=0700
WorkingDirectory=${FOLDER}
EnvironmentFile=${ENVIRONMENT}
ExecStartPre=+/usr/bin/install -m 0400 -o ${USER} ${CONFIG} ${FOLDER}/agent.json
ExecStart=/usr/bin/env node ${agentArguments(FOLDER, runId, { root: ROOT }).join(' ')}
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
RestrictSUIDSGID=yes
${hasIdentity ? '' : 'IPAddressDeny=169.254.169.254\n'}`;
