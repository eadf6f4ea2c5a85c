import { LABELS } from '@glacis/graphs';
import { checkIfMatch, etagOf, type Caller } from '@glacis/http';
import { graphNotFound, graphReadOnly, versionNotFound } from '../problems.js';
import type { App, AppRef } from './app.entity.js';
import type { Cause } from './changes.js';

const part = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Whether text can be the name of a Namespace or of a graph. */
export function isNamePart(text: string): boolean {
  return part.test(text);
}

/** Namespace and name of an App id; what cannot be one is unknown. */
export function refOfId(id: string): AppRef {
  const [namespace = '', name = '', ...more] = id.split('_');
  if (more.length > 0 || !part.test(namespace) || !part.test(name)) throw noSuchApp(id);
  return { namespace, name };
}

/** The App if it is there and the caller's: another tenant's answers like an unknown one. */
export function knownTo(caller: Caller, id: string, app: App | undefined): App {
  if (app?.tenant !== caller.tenant) throw noSuchApp(id);
  return app;
}

/** The App if the caller may change it, as he has read it. */
export function editableBy(caller: Caller, { id, ifMatch }: AppEdit, found: App | undefined): App {
  const app = knownTo(caller, id, found);
  if (isReadOnly(app)) throw graphReadOnly(`${id} is read-only`);
  checkIfMatch(ifMatch, etagOf(app.revision));
  return app;
}

/** Which App is to be changed, and the `If-Match` of the request. */
export interface AppEdit {
  id: string;
  ifMatch: string | undefined;
}

export function isReadOnly({ labels }: App): boolean {
  return labels[LABELS.readOnly] === 'true';
}

/** A version number in a path: text that is none names no version. `0` is one only where the route has it. */
export function numberIn(text: string): number {
  if (!/^(0|[1-9]\d{0,8})$/.test(text)) throw noSuchVersion();
  return Number(text);
}

export function causeOf({ principal, requestId, traceparent }: Caller): Cause {
  return { actor: principal.subject, requestId, traceparent };
}

export const noSuchVersion = (): Error =>
  versionNotFound('graph not found with that name and version');

function noSuchApp(id: string): Error {
  return graphNotFound(`no App ${id}`);
}
