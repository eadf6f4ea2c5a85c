import {
  isNameValue,
  leafKeyAlgorithms,
  nameBounds,
  type NameAttribute,
  type NameAttributeType,
} from '@glacis/pki';
import { parseDurationMs } from '@glacis/settings';
import { z } from 'zod';
import { wantedDnsName, wantedIp, type WantedName } from '../names/wanted-name.js';
import { profile } from './profile-rules.js';

const maxNames = 32;
const maxValues = 8;
const minTtlMs = 60_000;

/** Text that becomes something else, or a 400 that says what was expected. */
function read<T>(expected: string, parse: (text: string) => T | null | undefined): z.ZodType<T> {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== null && value !== undefined) return value;
    context.addIssue({ code: 'custom', message: `expected ${expected}`, input: text });
    return z.NEVER;
  });
}

/** A list that older clients send as null when it is empty. */
const listOf = <T>(item: z.ZodType<T>, max: number): z.ZodType<T[]> =>
  z
    .array(item)
    .max(max)
    .nullish()
    .transform((items) => items ?? []);

const ipAddresses = listOf(read('an IPv4 or IPv6 address', wantedIp), maxNames);
const dnsNames = listOf(read('a host name in A-labels', wantedDnsName), maxNames);

/** Go duration of at least one minute, in milliseconds. Older clients send an empty text for none. */
export const ttl: z.ZodType<number | undefined> = z
  .string()
  .nullish()
  .transform((text, context) => {
    if (text === null || text === undefined || text === '') return undefined;
    const ms = parseDurationMs(text);
    if (ms !== undefined && ms >= minTtlMs) return ms;
    context.addIssue({
      code: 'custom',
      message: 'expected a duration of at least 1m',
      input: text,
    });
    return z.NEVER;
  });

const values = (type: NameAttributeType): z.ZodType<string[]> =>
  listOf(
    z.string().refine((value) => isNameValue(type, value), {
      error: `expected 1 to ${nameBounds[type]} characters`,
    }),
    maxValues,
  );

const options = z.object({
  common_name: z.string().nullish(),
  organization: values('organization'),
  organizational_unit: values('organizationalUnit'),
  country: values('country'),
  province: values('province'),
  locality: values('locality'),
  street_address: values('streetAddress'),
  postal_code: values('postalCode'),
  dns_names: dnsNames,
  ip_addresses: ipAddresses,
});

/** Body of POST `/certs/issue/...` (`certificates.md` 2.2). */
export const issueBody = z.object({
  ip_addresses: ipAddresses,
  dns_names: dnsNames,
  ttl,
  key_algorithm: z.enum(leafKeyAlgorithms).nullish(),
  server_auth: z.boolean().nullish(),
  profile,
  options: options.nullish(),
});

export type IssueBody = z.infer<typeof issueBody>;

/** Every name wanted, addresses first, each once. */
export function namesOf(body: IssueBody): WantedName[] {
  return distinct([
    ...body.ip_addresses,
    ...(body.options?.ip_addresses ?? []),
    ...body.dns_names,
    ...(body.options?.dns_names ?? []),
  ]);
}

export function distinct(names: readonly WantedName[]): WantedName[] {
  return [...new Map(names.map((name) => [name.canonical, name])).values()];
}

const some = (type: NameAttributeType, list: readonly string[] = []): NameAttribute[] =>
  list.map((value) => ({ type, value }));

/** Subject of a leaf: CN is the entity, O ours; what the request adds stands beside it. */
export function subjectOf(
  entityId: string,
  organization: string,
  added: IssueBody['options'],
): NameAttribute[] {
  return [
    ...some('country', added?.country),
    ...some('province', added?.province),
    ...some('locality', added?.locality),
    ...some('streetAddress', added?.street_address),
    ...some('postalCode', added?.postal_code),
    ...some('organization', [organization, ...(added?.organization ?? [])]),
    ...some('organizationalUnit', added?.organizational_unit),
    ...some('commonName', [entityId]),
  ];
}
