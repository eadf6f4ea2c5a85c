import fc from 'fast-check';

/** The parts of an OpenAPI 3 document that bad input is made from. */
export interface OpenApi {
  paths: Record<string, Record<string, OpenApiOperation>>;
}

interface OpenApiOperation {
  parameters?: { name: string; in: 'path' | 'query' | 'header' }[];
  requestBody?: { content?: Record<string, { schema?: { properties?: Record<string, unknown> } }> };
}

export interface Operation {
  method: string;
  path: string;
  parameters: { name: string; in: string }[];
  members: string[];
}

/** Every operation of the document with the members of its JSON body. */
export function operationsOf(document: OpenApi): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => ['get', 'post', 'put', 'patch', 'delete', 'head'].includes(method))
      .map(([method, { parameters = [], requestBody }]) => ({
        method: method.toUpperCase(),
        path,
        parameters,
        members: Object.keys(requestBody?.content?.['application/json']?.schema?.properties ?? {}),
      })),
  );
}

/** What a member of a body may hold that it should not: any type, too long, control characters, half a surrogate pair. */
export const badValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, -1, 1.5, 1e308, '', ' ', [], {}, [[[]]], { $ne: 1 }),
  fc.constantFrom(
    '\u0000',
    'a\u0000b',
    '\u001b[31m',
    '\u007f',
    '\ud800',
    '\uffff',
    '\u202e',
    'é'.repeat(40),
  ),
  fc.constantFrom("' OR 1=1 --", '../../etc/passwd', '%00', '{{7*7}}', '0x', '1e999', '-0', 'NaN'),
  fc.integer({ min: 65, max: 20_000 }).map((length) => 'x'.repeat(length)),
  fc.array(fc.string({ unit: 'binary' }), { maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.object({ maxDepth: 2 }),
);

/** The same for a path segment or a query value: text that a URL can carry, well encoded or not. */
export const badText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '%',
    '%zz',
    '%00',
    '%ff',
    '..',
    '.',
    '%2e%2e',
    '%2F',
    'a%00b',
    '%ED%A0%80',
    '-1',
    '1e3',
    '1;2',
  ),
  fc.integer({ min: 100, max: 5_000 }).map((length) => '9'.repeat(length)),
  fc.string({ unit: 'grapheme', maxLength: 120 }).map(encodeURIComponent),
);

/** Authorization headers that never open anything. */
export const badToken = (good: string): fc.Arbitrary<string> => {
  const [head = '', body = '', signature = ''] = good.split('.');
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  const flipped = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
  return fc.constantFrom(
    '',
    'Bearer',
    'Bearer ',
    'Basic YTpi',
    `Bearer ${good}x`,
    `Bearer ${none}.${body}.`,
    `Bearer ${none}.${body}.${signature}`,
    `Bearer ${head}.${body}.${flipped}`,
    `Bearer ${head}.${Buffer.from('{"sub":"root","roles":["platform-admin"]}').toString('base64url')}.${signature}`,
    `Bearer ${'a'.repeat(7_000)}`,
    `Bearer ${good}, Bearer ${good}`,
  );
};
