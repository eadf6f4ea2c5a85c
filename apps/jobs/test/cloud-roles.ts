import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const textOf = (path: string): Promise<string> =>
  readFile(fileURLToPath(new URL(`../../../examples/clouds/${path}`, import.meta.url)), 'utf8');

/** A policy of AWS IAM. */
export interface Policy {
  Statement: { Effect: 'Allow' | 'Deny'; Action: string[]; Resource: string | string[] }[];
}

export async function policyOf(role: string): Promise<Policy> {
  return JSON.parse(await textOf(`aws/${role}.json`)) as Policy;
}

/** What a policy allows, without where. */
export async function actionsOf(role: string): Promise<string[]> {
  const { Statement: statements } = await policyOf(role);
  const allowed = statements.filter(({ Effect }) => Effect === 'Allow');
  return allowed.flatMap(({ Action }) => Action).toSorted();
}

/** Permissions of a role of Google Cloud. */
export async function permissionsOf(role: string): Promise<string[]> {
  const file = parse(await textOf(`gcp/${role}.yaml`)) as { includedPermissions: string[] };
  return file.includedPermissions.toSorted();
}

/** Actions and data actions of a role of Azure. */
export async function operationsOf(role: string): Promise<string[]> {
  const { Actions, DataActions } = JSON.parse(await textOf(`azure/${role}.json`)) as {
    Actions: string[];
    DataActions: string[];
  };
  return [...Actions, ...DataActions].toSorted();
}
