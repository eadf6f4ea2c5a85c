import { VmRefusal, type CreateReq } from '@glacis/grpc';
import type { GuestShares } from '../vms/vm-driver.js';

/** Where the guest mounts its certificates. */
const certsFolder = '/etc/certs';

/**
 * What a guest of generation B reads at boot (`backends.md` 8): its certificate and key in one share, the environment of
 * its agent in the other.
 * @throws {VmRefusal} for a value that does not fit on a line of the environment
 */
export function guestSharesOf(request: CreateReq, id: string): GuestShares {
  const environment = {
    AGENT_LOG_LEVEL: request.agentLogLevel,
    AGENT_CVM_GRPC_URL: request.agentCvmServerUrl,
    AGENT_CVM_GRPC_CLIENT_CERT: pathOf(request.agentCvmClientCert, 'cert.pem'),
    AGENT_CVM_GRPC_CLIENT_KEY: pathOf(request.agentCvmClientKey, 'key.pem'),
    AGENT_CVM_GRPC_SERVER_CA_CERTS: pathOf(request.agentCvmServerCaCert, 'ca.pem'),
    AGENT_CVM_ID: id,
    AGENT_CERTS_TOKEN: request.agentCertsToken,
    AGENT_CVM_CA_URL: request.agentCvmCaUrl,
    AWS_ACCESS_KEY_ID: request.awsAccessKeyId,
    AWS_SECRET_ACCESS_KEY: request.awsSecretAccessKey,
    AWS_ENDPOINT_URL: request.awsEndpointUrl,
    AWS_REGION: request.awsRegion,
    AA_KBS_PARAMS: request.aaKbsParams,
  };
  const certs = {
    'cert.pem': request.agentCvmClientCert,
    'key.pem': request.agentCvmClientKey,
    'ca.pem': request.agentCvmServerCaCert,
  };
  return {
    certs: Object.fromEntries(Object.entries(certs).filter(([, content]) => content.length > 0)),
    env: { environment: Buffer.from(linesOf(environment)) },
  };
}

function pathOf(content: Buffer, name: string): string {
  return content.length === 0 ? '' : `${certsFolder}/${name}`;
}

function linesOf(environment: Record<string, string>): string {
  return Object.entries(environment)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => {
      if (/\p{Cc}/u.test(value)) throw new VmRefusal(`${name} holds control characters`);
      return `${name}=${value}\n`;
    })
    .join('');
}
