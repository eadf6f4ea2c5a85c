import {
  status,
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../generated/health/v1/health.js';

type Call = ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>;
type Watch = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

const serialize = (reply: HealthCheckResponse): Buffer =>
  Buffer.from(HealthCheckResponse.encode(reply).finish());
const deserialize = (bytes: Buffer): HealthCheckRequest => HealthCheckRequest.decode(bytes);

/**
 * Adds the standard health service, `grpc.health.v1.Health`: the named services and the server as a whole serve for as
 * long as there is anybody to answer.
 */
export function addHealth(server: Server, services: readonly string[]): void {
  const known = new Set(['', ...services]);
  server.register<HealthCheckRequest, HealthCheckResponse>(
    '/grpc.health.v1.Health/Check',
    ({ request }: Call, reply: (error: object | null, value?: HealthCheckResponse) => void) => {
      if (known.has(request.service)) reply(null, { status: ServingStatus.SERVING });
      else reply({ code: status.NOT_FOUND, details: 'unknown service' });
    },
    serialize,
    deserialize,
    'unary',
  );
  server.register<HealthCheckRequest, HealthCheckResponse>(
    '/grpc.health.v1.Health/Watch',
    (call: Watch) => {
      const serves = known.has(call.request.service);
      call.write({ status: serves ? ServingStatus.SERVING : ServingStatus.SERVICE_UNKNOWN });
    },
    serialize,
    deserialize,
    'serverStream',
  );
}
