import type { BackendsRpc } from '@glacis/contracts';
import { status } from '@grpc/grpc-js';
import { RpcDirectory } from './rpc-directory.js';
import { RpcError } from './rpc-error.js';

const unused = (): never => {
  throw new Error('not asked for in this test');
};
const backends = (some: Partial<BackendsRpc>): BackendsRpc => ({
  checkNames: unused,
  get: unused,
  run: unused,
  stop: unused,
  terminate: unused,
  watch: unused,
  ...some,
});

describe('RpcDirectory', () => {
  it('binds a client at its first call, with the provider as `this`', async () => {
    const directory = new RpcDirectory();
    const client = directory.client('backends');
    await expect(client.get({ id: 'a' })).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      reason: 'unavailable',
    });
    class Provider implements BackendsRpc {
      private readonly tenant = 't';
      readonly checkNames = unused;
      readonly run = unused;
      readonly stop = unused;
      readonly terminate = unused;
      readonly watch = unused;
      get({ id }: { id: string }): ReturnType<BackendsRpc['get']> {
        return Promise.resolve({ id, tenant: this.tenant, name: 'n', address: '' });
      }
    }
    directory.provide('backends', new Provider());
    expect(await client.get({ id: 'a' })).toEqual({ id: 'a', tenant: 't', name: 'n', address: '' });
  });

  it('passes refusals on and makes every other failure a neutral INTERNAL with its cause', async () => {
    const directory = new RpcDirectory();
    const refusal = new RpcError(status.NOT_FOUND, 'not-found', 'no such backend');
    const bug = new TypeError('secret detail');
    directory.provide(
      'backends',
      backends({
        get: () => Promise.reject(refusal),
        stop: () => {
          throw bug;
        },
      }),
    );
    const client = directory.client('backends');
    await expect(client.get({ id: 'a' })).rejects.toBe(refusal);
    const failed = client.stop({ backendId: 'a', computationId: 'c' });
    await expect(failed).rejects.toMatchObject({
      code: status.INTERNAL,
      message: 'backends failed',
      cause: bug,
    });
  });

  it('can itself be awaited or returned from an async function', async () => {
    const client = new RpcDirectory().client('certificates');
    await expect(Promise.resolve(client)).resolves.toBe(client);
  });

  it('refuses a second provider', () => {
    const directory = new RpcDirectory();
    directory.provide('backends', backends({}));
    expect(() => directory.provide('backends', backends({}))).toThrow('provided twice');
  });
});
