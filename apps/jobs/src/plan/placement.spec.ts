import { place } from './placement.js';

describe('jobs.md 5: placement and collusion', () => {
  it.each([
    [['azure', 'gcp', 'aws'], 3, ['aws', 'gcp', 'azure'], []],
    [
      ['aws', 'gcp'],
      3,
      ['aws', 'aws', 'gcp'],
      ['aws runs parties 0 and 1 and could rebuild all inputs'],
    ],
    [
      ['aws', 'aws', 'gcp'],
      3,
      ['aws', 'aws', 'gcp'],
      ['aws runs parties 0 and 1 and could rebuild all inputs'],
    ],
    [
      ['azure', 'aws'],
      3,
      ['aws', 'azure', 'azure'],
      ['azure runs parties 1 and 2 and could rebuild all inputs'],
    ],
    [
      ['gcp'],
      3,
      ['gcp', 'gcp', 'gcp'],
      ['gcp runs parties 0, 1 and 2 and could rebuild all inputs'],
    ],
    [
      ['aws', 'gcp', 'azure'],
      4,
      ['aws', 'aws', 'gcp', 'azure'],
      ['aws runs parties 0 and 1 and could rebuild all inputs'],
    ],
  ] as const)('%j for %i parties', (requested, parties, providers, messages) => {
    const placement = place(requested, parties);
    expect(placement.providers).toEqual(providers);
    expect(placement.collusion.map(({ message }) => message)).toEqual(messages);
    expect(placement.unused).toEqual([]);
  });

  it('names with an account in common count as one provider', () => {
    const accounts = { aws: ['store.test'], gcp: ['other.test'], azure: ['a.test', 'store.test'] };
    expect(place(['aws', 'gcp', 'azure'], 3, (name) => accounts[name]).collusion).toEqual([
      {
        code: 'collusion',
        message:
          'one provider behind aws and azure runs parties 0 and 2 and could rebuild all inputs',
        provider: 'aws',
        parties: [0, 2],
      },
    ]);
    const joined = { aws: ['x'], gcp: ['y'], azure: ['x', 'y'] };
    expect(place(['aws', 'gcp', 'azure'], 3, (name) => joined[name]).collusion).toMatchObject([
      { provider: 'aws', parties: [0, 1, 2] },
    ]);
  });

  it('tells of entries without a party', () => {
    expect(place(['aws', 'gcp', 'azure', 'aws'], 3).unused).toEqual([
      { code: 'unused_providers', message: '1 of 4 entries of cloud_providers got no party' },
    ]);
  });
});
