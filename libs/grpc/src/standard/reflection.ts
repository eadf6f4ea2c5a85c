import type { DescFile } from '@bufbuild/protobuf';
import { status, type Server, type ServerDuplexStream } from '@grpc/grpc-js';
import { descriptorSet as health } from '../generated/health/v1/descriptor-set.js';
import { descriptorSet as managerOfVms } from '../generated/manager/vms/descriptor-set.js';
import { descriptorSet as reflection } from '../generated/reflection/v1/descriptor-set.js';
import {
  ServerReflectionRequest,
  ServerReflectionResponse,
} from '../generated/reflection/v1/reflection.js';

/** What can be described, as base64 of a FileDescriptorSet each. */
export const descriptorSets = { health, managerOfVms, reflection };

type Asked = NonNullable<ServerReflectionRequest['messageRequest']>;
type Answer = NonNullable<ServerReflectionResponse['messageResponse']>;
type Call = ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>;

const paths = ['v1', 'v1alpha'].map(
  (version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
);
const serialize = (reply: ServerReflectionResponse): Buffer =>
  Buffer.from(ServerReflectionResponse.encode(reply).finish());
const deserialize = (bytes: Buffer): ServerReflectionRequest =>
  ServerReflectionRequest.decode(bytes);

/** Adds the standard reflection service in both its versions; it tells of the services in `sets` and of itself. */
export async function addReflection(server: Server, sets: readonly string[]): Promise<void> {
  const catalogue = await Catalogue.of([...sets, descriptorSets.reflection]);
  const handle = (call: Call): void => {
    call.on('data', (request: ServerReflectionRequest) => {
      const { host: validHost, messageRequest: asked } = request;
      const messageResponse = asked && catalogue.answer(asked);
      call.write({ validHost, originalRequest: request, messageResponse });
    });
    call.on('end', () => call.end());
    call.on('error', () => undefined);
  };
  for (const path of paths) server.register(path, handle, serialize, deserialize, 'bidi');
}

/** The descriptors by the names that a client may ask for. */
class Catalogue {
  private readonly bySymbol = new Map<string, DescFile>();
  private readonly byName = new Map<string, DescFile>();
  private readonly services: string[] = [];

  private constructor(
    files: Iterable<DescFile>,
    private readonly encode: (file: DescFile) => Buffer,
  ) {
    for (const file of files) this.add(file);
  }

  /** Descriptors are costly to load and few programs describe themselves: hence the late import. */
  static async of(sets: readonly string[]): Promise<Catalogue> {
    const { createFileRegistry, fromBinary, toBinary } = await import('@bufbuild/protobuf');
    const { FileDescriptorProtoSchema, FileDescriptorSetSchema } =
      await import('@bufbuild/protobuf/wkt');
    const files = sets.flatMap((set) => [
      ...createFileRegistry(fromBinary(FileDescriptorSetSchema, Buffer.from(set, 'base64'))).files,
    ]);
    return new Catalogue(files, ({ proto }) =>
      Buffer.from(toBinary(FileDescriptorProtoSchema, proto)),
    );
  }

  answer(asked: Asked): Answer {
    switch (asked.$case) {
      case 'listServices': {
        const service = this.services.map((name) => ({ name }));
        return { $case: 'listServicesResponse', value: { service } };
      }
      case 'fileByFilename':
        return this.describe(this.byName.get(asked.value));
      case 'fileContainingSymbol':
        return this.describe(this.bySymbol.get(asked.value));
      default:
        return notFound('there are no extensions');
    }
  }

  private add(file: DescFile): void {
    this.byName.set(file.proto.name, file);
    for (const service of file.services) {
      this.services.push(service.typeName);
      this.bySymbol.set(service.typeName, file);
      for (const { name } of service.methods)
        this.bySymbol.set(`${service.typeName}.${name}`, file);
    }
    for (const { typeName } of [...file.messages, ...file.enums]) this.bySymbol.set(typeName, file);
  }

  private describe(file: DescFile | undefined): Answer {
    if (file === undefined) return notFound('unknown symbol or file');
    const fileDescriptorProto = [file, ...file.dependencies].map(this.encode);
    return { $case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
  }
}

function notFound(errorMessage: string): Answer {
  return { $case: 'errorResponse', value: { errorCode: status.NOT_FOUND, errorMessage } };
}
