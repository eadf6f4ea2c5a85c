import { defineProblem } from '@glacis/http';

export const tokenUsed = defineProblem({
  slug: 'token-used',
  status: 409,
  title: 'Token used',
  message: 'Token used',
  about:
    'The one-time token of a party agent was used before. The agent ends; another is started where one is needed.',
});

export const wrongParty = defineProblem({
  slug: 'wrong-party',
  status: 403,
  title: 'Another party',
  message: 'Another party',
  about:
    'A party agent asked for what belongs to another party than the one that its certificate names.',
});
