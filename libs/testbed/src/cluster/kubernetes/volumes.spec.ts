import { volumesToMake, volumesToRemove, type Claim, type Volume } from './volumes.js';

const claim = (namespace: string, storageClassName?: string): Claim => ({
  metadata: { namespace, name: 'data', uid: `uid-${namespace}` },
  spec: {
    storageClassName,
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
  },
});

const volumeOf = (namespace: string, storageClassName: string, phase = 'Bound'): Volume => {
  const [volume] = volumesToMake([claim(namespace, storageClassName)], [], '/volumes');
  return { ...volume!, status: { phase } };
};

const pathOf = ({ spec }: Volume): string | undefined => spec.hostPath?.path;

describe('volumes of claims', () => {
  it('stack.md 11.2: equal claim names share a folder, in the class that is for it', () => {
    const paths = ['a', 'b'].map((namespace) => pathOf(volumeOf(namespace, 'hostpath-by-name')));
    expect(paths).toEqual(['/volumes/data', '/volumes/data']);
  });

  it('claims of the default class have a folder of their own', () => {
    const paths = ['a', 'b'].map((namespace) => pathOf(volumeOf(namespace, 'hostpath')));
    expect(paths).toEqual(['/volumes/a/data', '/volumes/b/data']);
  });

  it('a claim of another class, one that goes, and one that has its volume get none', () => {
    const going = claim('a', 'hostpath');
    going.metadata.deletionTimestamp = '2026-11-22T00:00:00Z';
    const bound = claim('a', 'hostpath');
    bound.spec.volumeName = 'other';
    const claims = [claim('a', 'else'), claim('a'), going, bound, claim('b', 'hostpath')];
    expect(volumesToMake(claims, [volumeOf('b', 'hostpath')], '/volumes')).toEqual([]);
  });

  it('a released volume is removed, its folder when the last that has it is', () => {
    const first = volumeOf('a', 'hostpath-by-name', 'Released');
    const second = volumeOf('b', 'hostpath-by-name');
    expect(volumesToRemove([first, second])).toEqual([{ volume: first, withFolder: false }]);
    const last = { ...second, status: { phase: 'Released' } };
    expect(volumesToRemove([last])).toEqual([{ volume: last, withFolder: true }]);
  });

  it('what is to be retained, or is of somebody else, stays', () => {
    const retained = volumeOf('a', 'hostpath', 'Released');
    retained.spec.persistentVolumeReclaimPolicy = 'Retain';
    const foreign = volumeOf('b', 'hostpath', 'Released');
    foreign.metadata.annotations = {};
    expect(volumesToRemove([retained, foreign])).toEqual([]);
  });
});
