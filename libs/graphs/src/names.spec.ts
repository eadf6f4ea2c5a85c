import fc from 'fast-check';
import {
  claimName,
  componentNamespace,
  flowNamespace,
  flowServiceHost,
  kafkaTopic,
} from './names.js';
import { labelValue, livenessHost, podName, pulsarTopic, urlPrefix } from './names.js';

const graph = { namespace: 'ns', name: 'g' };
const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

describe('graph-apps.md 1.3', () => {
  test('names that follow from those of a graph', () => {
    expect(componentNamespace(graph, 'c')).toBe('ns-g-c');
    expect(componentNamespace(graph, 'c', 'own')).toBe('own');
    expect(flowNamespace(graph, 'volume')).toBe('ns-g-rampart-flows-volume');
    expect(claimName(graph, 'f')).toBe('ns-g-f');
    expect(flowServiceHost(graph, 'repository')).toBe(
      'flows-repository-flows-service.ns-g-rampart-flows-repository.svc.cluster.local',
    );
    expect(livenessHost('x')).toBe('edges-volume-liveness-service.x.svc.cluster.local');
    expect(pulsarTopic(graph, 'f')).toBe('rampart/ns_g/f');
    expect(kafkaTopic(graph, 'f')).toBe('ns_g.f');
    expect(urlPrefix(graph, 'c')).toBe('/ns/g/c');
  });

  test('pod names: legal ones stay, others are cut and given eight digits of their SHA-256', () => {
    expect(podName('flow-volume-f')).toBe('flow-volume-f');
    expect(podName('x'.repeat(63))).toBe('x'.repeat(63));
    expect(podName('git-clone-input-In')).toBe('git-clone-input-in-a6bf149b');
    expect(podName('x'.repeat(64))).toMatch(/^x{54}-[0-9a-f]{8}$/);
  });

  test('pod names are DNS labels, and different ones stay different', () => {
    const text = fc.stringMatching(/^[a-zA-Z0-9._-]{1,100}$/);
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(podName(one)).toMatch(label);
        expect(podName(one) === podName(other)).toBe(one === other);
      }),
    );
  });

  test('label values of up to 63 characters stay', () => {
    expect(labelValue('A_b.c')).toBe('A_b.c');
    expect(labelValue(`${'x'.repeat(50)}.${'y'.repeat(50)}`)).toMatch(/^x{50}-y{3}-[0-9a-f]{8}$/);
  });
});
