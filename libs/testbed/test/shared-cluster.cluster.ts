import { currentRun } from '../src/run.js';
import { sharedCluster, type SharedCluster } from '../src/cluster/index.js';

let cluster: SharedCluster;

beforeAll(async () => {
  cluster = await sharedCluster();
}, 3_600_000);

describe('sharedCluster', () => {
  it('is one for all who ask, and ends with the run', async () => {
    const [one, other] = await Promise.all([sharedCluster(), sharedCluster()]);
    expect(one.kubeconfig).toBe(other.kubeconfig);
    const place = process.env['KUBECONFIG'] ?? currentRun().folder;
    expect(one.kubeconfig.startsWith(place)).toBe(true);
  });

  it('runs the image of this checkout, in a namespace that goes with what is in it', async () => {
    const namespace = await cluster.namespace();
    const within = ['--namespace', namespace.name];
    const image = [`--image=${cluster.image}`, '--image-pull-policy=Never', '--restart=Never'];
    const command = ['--command', '--', 'glacis', '--version'];
    await cluster.kubectl('run', 'version', ...within, ...image, ...command);
    const done = '--for=jsonpath={.status.phase}=Succeeded';
    await cluster.kubectl('wait', ...within, done, 'pod/version', '--timeout=120s');
    expect(await cluster.kubectl('logs', ...within, 'version')).toMatch(/^\d+\.\d+\.\d+\n$/);
    await namespace.remove();
    const left = cluster.kubectl('get', 'namespace', namespace.name);
    await expect(left).rejects.toThrow('not found');
  });
});
