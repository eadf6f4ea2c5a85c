// What the operator asks of helm, without its work: `npm run bench -- graphs` measures the operator, and real helm takes
// some 200 ms of processor time for a release. The program that the operator starts is a real one (helm/main.go); what it
// is asked is done here, over kept connections: release Secrets as helm writes them, pending first, the objects of rendered charts,
// and one pod for any other chart, which is waited for.
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { builtIns, isKubeError, ResourceClient } from '@glacis/kube';
import { resources } from '@glacis/graphs';
import { requireProgram, runCommand } from '@glacis/testbed/cluster';

const packed = promisify(gzip);
const types = new Map(
  [builtIns.configMaps, builtIns.pods, builtIns.serviceAccounts, resources.presets].map((type) => [
    type.kind,
    type,
  ]),
);

export class StandInHelm {
  static async start(folder, world) {
    const program = join(folder, 'helm');
    const go = await requireProgram('go', 'golang-go');
    const source = new URL('helm/main.go', import.meta.url).pathname;
    await runCommand(go, ['build', '-ldflags', '-s -w', '-o', program, source], {
      env: { ...process.env, CGO_ENABLED: '0' },
    });
    const helm = new StandInHelm(program, world);
    await once(helm.listener.listen(join(folder, 'socket')), 'listening');
    return helm;
  }

  constructor(program, world) {
    this.program = program;
    this.world = world;
    this.upgrades = 0;
    this.listener = createServer((socket) => void this.serve(socket));
  }

  async stop() {
    await once(this.listener.close(), 'close');
  }

  async serve(socket) {
    socket.on('error', () => undefined);
    for await (const line of createInterface({ input: socket })) {
      const answer = await this.run(JSON.parse(line)).then(
        (stdout) => ({ code: 0, stdout }),
        (error) => ({ code: 1, stderr: `${error.stack}` }),
      );
      socket.end(`${JSON.stringify(answer)}\n`);
    }
  }

  async run({ args, input }) {
    const flag = (name) => args[args.indexOf(name) + 1];
    switch (args[0]) {
      case 'repo':
        return '';
      case 'pull':
        await writeFile(join(flag('--destination'), 'chart-1.0.0.tgz'), '');
        return '';
      case 'show':
        return 'apiVersion: v2\nname: chart\nversion: 1.0.0\n';
      case 'upgrade': {
        const marks = flag('--labels').split(',');
        return this.upgrade({
          release: args[2],
          chart: args[3],
          namespace: flag('--namespace'),
          values: JSON.parse(input),
          labels: Object.fromEntries(marks.map((mark) => mark.split('='))),
        });
      }
      default:
        throw new Error(`helm ${args[0]} is not stood in for`);
    }
  }

  async upgrade(wanted) {
    const { release, namespace, values } = wanted;
    const rendered = !wanted.chart.endsWith('.tgz');
    const objects = rendered ? await renderedObjects(wanted.chart) : this.podOf(wanted);
    const chart = {
      metadata: { name: rendered ? basename(wanted.chart) : 'chart', version: '1.0.0' },
    };
    const manifest = objects.map((object) => `---\n${JSON.stringify(object)}\n`).join('');
    const secrets = new ResourceClient(this.world.server, builtIns.secrets);
    const secretOf = async (status, description) => {
      const content = {
        name: release,
        info: { status, description },
        chart,
        config: values,
        manifest,
      };
      const data = (await packed(JSON.stringify(content))).toString('base64');
      return {
        metadata: {
          name: `sh.helm.release.v1.${release}.v1`,
          namespace,
          labels: { ...wanted.labels, owner: 'helm', name: release, status, version: '1' },
        },
        type: 'helm.sh/release.v1',
        data: { release: Buffer.from(data).toString('base64') },
      };
    };
    await secrets.apply(await secretOf('pending-install', 'Initial install underway'), {
      fieldManager: 'helm',
    });
    for (const object of objects) await this.make(object);
    if (!rendered) await this.world.podReady(`${namespace}/worker`);
    const description = 'Install complete';
    await secrets.apply(await secretOf('deployed', description), { fieldManager: 'helm' });
    this.upgrades += 1;
    return JSON.stringify({ version: 1, info: { status: 'deployed', description }, chart });
  }

  podOf({ namespace, release }) {
    const metadata = {
      namespace,
      labels: { 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: {
        'meta.helm.sh/release-name': release,
        'meta.helm.sh/release-namespace': namespace,
      },
    };
    const name = 'worker';
    return [
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...metadata, name } },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...metadata, name },
        spec: {
          serviceAccountName: name,
          automountServiceAccountToken: false,
          nodeName: this.world.nodes[this.upgrades % this.world.nodes.length],
          containers: [{ name, image: name }],
        },
      },
    ];
  }

  async make(object) {
    try {
      await new ResourceClient(this.world.server, types.get(object.kind)).create(object);
    } catch (error) {
      if (!isKubeError(error, 'alreadyExists')) throw error;
    }
  }
}

async function renderedObjects(chart) {
  const text = await readFile(join(chart, 'objects.yaml'), 'utf8');
  return text.split('\n---\n').map((object) => JSON.parse(object));
}
